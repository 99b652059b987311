-- Asks `symbolon guard` about a request, for `http-request lua.symbolon ASK` in haproxy.cfg.

local GUARD = "http://127.0.0.1:7310/check"

-- These end at the proxy, or are about a body that the question does not have.
local left_out = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
    ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
    -- What is said about the request is said here alone.
    ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
    ["x-original-method"] = true, ["x-original-uri"] = true,
}

-- HAProxy counts the values of a header from 0.
local function list(values)
    local all = {}
    for _, value in pairs(values) do
        all[#all + 1] = value
    end
    return all
end

local function question(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not left_out[name] then
            headers[name] = list(values)
        end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-uri"] = { txn.sf:url() }
    return headers
end

-- Anything but 200 goes to the browser as it is: a redirect to sign in, 401, 403, 503.
local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, body = answer.body })
    for name, values in pairs(answer.headers or {}) do
        if not left_out[name] then
            for _, value in pairs(values) do
                reply:add_header(name, value)
            end
        end
    end
    txn:done(reply)
end

local function first(answer, name)
    return answer.headers[name] and list(answer.headers[name])[1]
end

core.register_action("symbolon", { "http-req" }, function(txn, ask)
    local url = ask == "-" and GUARD or GUARD .. "?" .. ask
    local answer = core.httpclient():get({ url = url, headers = question(txn), timeout = 10000 })
    if not answer or answer.status ~= 200 then
        -- Without an answer haproxy.cfg refuses.
        if answer and answer.status and answer.status > 200 then
            refuse(txn, answer)
        end
        return
    end
    for _, name in ipairs({ "x-auth-user", "x-auth-login", "x-auth-roles", "x-auth-freshness" }) do
        local value = first(answer, name)
        if value then
            txn.http:req_set_header(name, value)
        end
    end
    for number = 1, 2 do
        local cookie = first(answer, "x-auth-set-cookie-" .. number)
        if cookie then
            txn:set_var("txn.symbolon_cookie_" .. number, cookie)
        end
    end
    txn:set_var("txn.symbolon_yes", true)
end, 1)
