"use strict";
/* Shows a case that was opened before where the server cannot be reached; case.js keeps them. Only
   pages of cases are in its scope, and it asks for nothing that the page did not ask for. */

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async (error) => {
    const kept = await caches.match(event.request, { ignoreSearch: true, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }));
});
