--- Steps that wait for answers, written one after the other; knows nothing of the language server.
local say = require('greenloop.say')

local M = {}

--- What a person can mend; told in one line, never with a traceback.
---@class greenloop.Refusal
---@field message string
---@field remedy string
---@field kind string

--- Ends the task and tells the person why.
---@param message string
---@param remedy? string
---@param kind? string
function M.refuse(message, remedy, kind)
  error({ message = message, remedy = remedy or '', kind = kind or 'failed' }, 0)
end

---@param failure any
---@return string
function M.text_of(failure)
  if type(failure) ~= 'table' or not failure.message then
    return 'the plugin made a mistake: ' .. tostring(failure)
  end
  local message, remedy = vim.trim(failure.message), vim.trim(failure.remedy or '')
  if remedy == '' or message:find(remedy, 1, true) then
    return message
  end
  return message:gsub('[%.%s]+$', '') .. '. ' .. remedy
end

--- Carries out `steps`, which may call `await`. What it refuses is told, unless `failed` takes it.
---@param steps fun(): any
---@param failed? fun(failure: any)
function M.start(steps, failed)
  local thread = coroutine.create(steps)
  local function go_on(...)
    local ok, starter = coroutine.resume(thread, ...)
    if not ok then
      if failed then
        failed(starter)
      else
        say.error(M.text_of(starter))
      end
    elseif coroutine.status(thread) ~= 'dead' then
      starter(go_on)
    end
  end
  go_on()
end

--- Waits: `starter` gets a function to be called once, whose arguments are given back.
---@param starter fun(go_on: fun(...))
---@return any ...
function M.await(starter)
  return coroutine.yield(starter)
end

--- Carries out `steps` and returns when they have ended, at the latest after `limit_ms`.
---@param steps fun(): any
---@param limit_ms integer
---@return boolean # they ended well
function M.finish(steps, limit_ms)
  local is_over, is_well = false, false
  M.start(function()
    steps()
    is_over, is_well = true, true
  end, function(failure)
    is_over = true
    say.error(M.text_of(failure))
  end)
  if not vim.wait(limit_ms, function()
    return is_over
  end, 5) then
    say.error(
      ('no answer within %d seconds; :Greenloop restart starts the language server anew'):format(
        limit_ms / 1000
      )
    )
  end
  return is_well
end

--- Asks for a line of text; ends the task without a word when the person gives none.
---@param prompt string
---@return string?
function M.ask(prompt)
  local text = M.await(function(go_on)
    vim.ui.input({ prompt = prompt }, go_on)
  end)
  return text and vim.trim(text) ~= '' and vim.trim(text) or nil
end

return M
