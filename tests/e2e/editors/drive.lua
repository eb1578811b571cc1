-- Neovim with the configuration for nvim-dap and a small client in nvim-dap's place, which no registry has:
-- it starts the adapter and speaks DAP as nvim-dap does, with Neovim's own JSON, processes and event loop.
local dap = { adapters = {}, configurations = {} }
package.preload.dap = function() return dap end
dofile(os.getenv("CONFIGURATION"))
local adapter, configuration = dap.adapters.remora, dap.configurations.python[1]
local file, line = os.getenv("FILE"), tonumber(os.getenv("LINE"))
local buffer, seq, answers, events, code = "", 0, {}, {}, nil

local function take(data)
  buffer = buffer .. (data or "")
  while true do
    local from, to, length = buffer:find("Content%-Length: (%d+)\r\n\r\n")
    if not from or #buffer < to + tonumber(length) then return end
    local message = vim.json.decode(buffer:sub(to + 1, to + tonumber(length)))
    buffer = buffer:sub(to + tonumber(length) + 1)
    if message.type == "event" then table.insert(events, message)
    elseif message.type == "response" then answers[message.request_seq] = message end
  end
end

local process = vim.system({ adapter.command, unpack(adapter.args) }, {
  stdin = true,
  stdout = function(_, data) take(data) end,
}, function(done) code = done.code end)

local function wait(what, condition)
  if not vim.wait(30000, condition, 20) then error("no " .. what) end
end
local function request(command, arguments)
  seq = seq + 1
  local number = seq
  local body = vim.json.encode({ seq = number, type = "request", command = command, arguments = arguments })
  process:write("Content-Length: " .. #body .. "\r\n\r\n" .. body)
  return number
end
local function finish(number)
  wait("answer", function() return answers[number] end)
  local answer = answers[number]
  if not answer.success then error(vim.inspect(answer)) end
  return answer.body
end
local function ask(command, arguments) return finish(request(command, arguments)) end
local function event(name)
  local found
  wait(name, function()
    for index, each in ipairs(events) do
      if each.event == name then
        found = table.remove(events, index)
        return true
      end
    end
  end)
  return found.body
end
local function say(label, value) io.stdout:write(label .. " " .. tostring(value) .. "\n") end

ask("initialize", {
  clientID = "neovim", clientName = "neovim", adapterID = "nvim-dap", pathFormat = "path",
  columnsStartAt1 = true, linesStartAt1 = true, supportsRunInTerminalRequest = true,
  supportsVariableType = true, supportsProgressReporting = true,
  supportsStartDebuggingRequest = true, locale = "en_US",
})
local attaching = request("attach", configuration)
event("initialized")
ask("setBreakpoints", { source = { path = file, name = vim.fs.basename(file) },
  breakpoints = { { line = line } }, sourceModified = false, lines = { line } })
ask("setExceptionBreakpoints", { filters = { "uncaught" } })
ask("configurationDone", vim.empty_dict())
finish(attaching)
local stop = event("stopped")
local function top() return ask("stackTrace", { startFrame = 0, threadId = stop.threadId }).stackFrames[1] end
local frame = top()
say("stopped", frame.line)
say("file", frame.source.path)
local scope = ask("scopes", { frameId = frame.id }).scopes[1]
say("local", ask("variables", { variablesReference = scope.variablesReference }).variables[1].name)
say("evaluated", ask("evaluate", { expression = "6 * 7", context = "repl", frameId = frame.id }).result)
ask("next", { threadId = stop.threadId })
stop = event("stopped")
say("stepped", top().line)
ask("setBreakpoints", { source = { path = file }, breakpoints = {}, lines = {} })
ask("continue", { threadId = stop.threadId })
say("continued", "")
ask("disconnect", { restart = false, terminateDebuggee = false })
wait("end of the adapter", function() return code end)
say("disconnected", code)
os.exit(0)
