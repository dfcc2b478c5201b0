-- report.lua - wrk's percentiles as microseconds on one line; with an argument: a POST with a body of so many bytes.

function init(args)
   if args[1] then
      wrk.method = "POST"
      wrk.body = string.rep("0123456789abcdef", tonumber(args[1]) / 16)
   end
end

function done(summary, latency, requests)
   io.write(string.format("percentiles: %d %d %d\n", latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
