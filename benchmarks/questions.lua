-- For wrk: asks the lines of a file in turn, and prints what came of it as one line of JSON.
-- wrk … -s questions.lua URL -- FILE CONTENT-TYPE

local requests, at = {}, 0

function init(arguments)
   local headers = { ["Content-Type"] = arguments[2] }
   for line in io.lines(arguments[1]) do
      requests[#requests + 1] = wrk.format("POST", nil, headers, line)
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
