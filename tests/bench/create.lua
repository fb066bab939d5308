-- wrk sends GETs unless told otherwise: this one is the documented create. The key comes from the command line (-H).
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
-- With the argument `named`, each has a name of its own: what is read in a body is then not known from before.
wrk.body = '{"name":"prod-api-01","plan":"pro","region":"us-east-1","image":"ubuntu-22.04-lts","tags":["web","production"]}'

local before, after = wrk.body:match("^(.*prod%-api%-)01(.*)$")
local number = 0

function init(args)
  if args[1] ~= "named" then return end
  function request()
    number = number + 1
    return wrk.format(nil, nil, nil, before .. string.format("%09d", number) .. after)
  end
end
