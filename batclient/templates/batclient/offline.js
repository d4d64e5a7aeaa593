"use strict";
/* Shows previously opened cases when the server is unreachable; case.js keeps them. Only pages of
   cases are in its scope, and it requests nothing that the page did not request. */

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async (error) => {
    const kept = await caches.match(event.request, { ignoreSearch: true, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }));
});
