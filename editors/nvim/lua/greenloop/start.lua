--- Starts runs: what the words after `fix`, `implement` and `test` and the cursor mean.
local client = require('greenloop.client')
local runs = require('greenloop.runs')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

local NUMBERS = { attempts = true }
local KEYS = { strategy = true, model = true, attempts = true }

--- Splits words of a command into settings such as `attempts=3` and the rest.
---@param words string[]
---@return table<string, string|integer> settings
---@return string[] rest
function M.split(words)
  local settings, rest = {}, {}
  for _, word in ipairs(words) do
    local key, value = word:match('^(%a+)=(.*)$')
    if key and KEYS[key] then
      local number = NUMBERS[key] and tonumber(value) or nil
      if NUMBERS[key] and not number then
        task.refuse(('%s=%s is no number'):format(key, value))
      end
      settings[key] = number or value
    else
      table.insert(rest, word)
    end
  end
  return settings, rest
end

--- The innermost unit of a kind that holds a line.
---@param units greenloop.Unit[]
---@param line integer from 0
---@param kinds table<string, true>
---@return greenloop.Unit?
function M.unit_at(units, line, kinds)
  local best ---@type greenloop.Unit?
  for _, unit in ipairs(units) do
    local range = unit.range
    local holds = line >= range.start.line and line <= range['end'].line
    if holds and kinds[unit.kind] and not (best and best.range.start.line > range.start.line) then
      best = unit
    end
  end
  return best
end

--- Tests and stubs of a buffer; none where it is no file of a repository. Within a task.
---@param bufnr integer
---@return greenloop.Unit[]
function M.units(bufnr)
  if not client.root(bufnr) then
    return {}
  end
  return client.call('greenloop/tests', { uri = vim.uri_from_bufnr(bufnr) }, bufnr).items
end

--- A range of lines as the server counts them.
---@param bufnr integer
---@param first integer from 1
---@param last integer from 1
---@return lsp.Range
local function lines_range(bufnr, first, last)
  local is_last = last >= vim.api.nvim_buf_line_count(bufnr)
  local stop = { line = last, character = 0 }
  if is_last then
    local text = vim.api.nvim_buf_get_lines(bufnr, last - 1, last, false)[1] or ''
    local found = client.connection()
    local encoding = found and found.client.offset_encoding or 'utf-16'
    local length = #text
    if encoding ~= 'utf-8' then
      local utf32, utf16 = vim.str_utfindex(text)
      length = encoding == 'utf-32' and utf32 or utf16
    end
    stop = { line = last - 1, character = length }
  end
  return { start = { line = first - 1, character = 0 }, ['end'] = stop }
end

--- Diagnostics of a range of lines, as LSP has them.
---@param bufnr integer
---@param first integer from 1
---@param last integer from 1
---@return lsp.Diagnostic[]
function M.diagnostics(bufnr, first, last)
  local found = {} ---@type lsp.Diagnostic[]
  for _, each in ipairs(vim.diagnostic.get(bufnr)) do
    if each.lnum < last and (each.end_lnum or each.lnum) >= first - 1 then
      local lsp = vim.tbl_get(each, 'user_data', 'lsp')
      table.insert(found, {
        range = lsp and lsp.range
          or lines_range(bufnr, each.lnum + 1, (each.end_lnum or each.lnum) + 1),
        severity = each.severity,
        message = each.message,
        source = each.source,
        code = each.code,
      })
    end
  end
  return found
end

--- What the words of `fix` and `test` mean, with the cursor in mind. Within a task.
---@param words string[]
---@param bufnr integer
---@param line integer from 1, where the cursor is
---@return string[] targets
---@return string about what it is, in words
local function targets(words, bufnr, line)
  if #words == 1 and words[1] == 'all' then
    return {}, 'all'
  end
  local is_file = #words == 1 and words[1] == 'file'
  if #words > 0 and not is_file then
    return words, table.concat(words, ' ')
  end
  local path = client.root(bufnr) and vim.api.nvim_buf_get_name(bufnr)
  if is_file then
    local root, why = client.root(bufnr)
    if not root then
      task.refuse(why, 'Go to a file of a repository')
    end
    local top = vim.uv.fs_realpath(root --[[@as string]]) or root
    local real = vim.uv.fs_realpath(path --[[@as string]]) or path --[[@as string]]
    return { real:sub(#top + 2) }, 'this file'
  end
  local unit = M.unit_at(M.units(bufnr), line - 1, { test = true, suite = true })
  if unit then
    return { unit.id }, unit.name
  end
  return {}, 'all'
end

--- Sends a start; what it starts is told by the server from then on.
---@param params table `StartParams`
function M.send(params)
  task.start(function()
    if params.goal == '' then -- so the server asks for one, which it cannot do itself
      params.goal = task.ask('What shall it do? ')
      if not params.goal then
        return
      end
    end
    local answer = client.call('greenloop/start', params, vim.api.nvim_get_current_buf())
    M.newest = answer.run
  end)
end

--- Sends a run of tests.
---@param params table
function M.send_test(params)
  task.start(function()
    local answer = client.call('greenloop/test', params, vim.api.nvim_get_current_buf())
    M.newest = answer.run
  end)
end

---@class greenloop.Call
---@field words string[]
---@field bang boolean
---@field first integer first line of the range, from 1
---@field last integer
---@field has_range boolean

---@param call greenloop.Call
function M.fix(call)
  local bufnr = vim.api.nvim_get_current_buf()
  task.start(function()
    local settings, words = M.split(call.words)
    local params =
      vim.tbl_extend('force', settings, { kind = 'fix', folder = client.folder(bufnr) })
    if call.has_range or (#words == 1 and words[1] == 'diagnostic') then
      params.diagnostics = M.diagnostics(bufnr, call.first, call.last)
      if #params.diagnostics == 0 then
        task.refuse(
          'nothing is reported here',
          'Go to a line with a diagnostic, or use :Greenloop fix'
        )
      end
      params.place =
        { uri = vim.uri_from_bufnr(bufnr), range = lines_range(bufnr, call.first, call.last) }
      M.send(params)
      return
    end
    local about
    params.targets, about = targets(words, bufnr, call.last)
    if about == 'all' and #words == 0 then
      say.info('no test at the cursor: all that fail are fixed')
    end
    M.send(params)
  end)
end

---@param call greenloop.Call
function M.test(call)
  local bufnr = vim.api.nvim_get_current_buf()
  task.start(function()
    local _, words = M.split(call.words)
    local params = { folder = client.folder(bufnr) }
    params.targets = targets(words, bufnr, call.last)
    M.send_test(params)
  end)
end

---@param call greenloop.Call
function M.implement(call)
  local bufnr = vim.api.nvim_get_current_buf()
  task.start(function()
    local settings, words = M.split(call.words)
    local params =
      vim.tbl_extend('force', settings, { kind = 'implement', folder = client.folder(bufnr) })
    local goal = table.concat(words, ' ')
    local root, why = client.root(bufnr)
    if call.has_range then
      if not root then
        task.refuse(why, 'Select code of a file of a repository')
      end
      params.place =
        { uri = vim.uri_from_bufnr(bufnr), range = lines_range(bufnr, call.first, call.last) }
    else
      local stub = M.unit_at(M.units(bufnr), call.last - 1, { stub = true })
      if stub then
        params.place = { uri = vim.uri_from_bufnr(bufnr), range = stub.range }
      end
    end
    if goal == '' and (call.has_range or not params.place) then
      goal = task.ask('What shall it do? ') or ''
      if goal == '' then
        return
      end
    end
    params.goal = goal ~= '' and goal or nil
    M.send(params)
  end)
end

--- Cancels a run: the one named, else the newest that goes on.
---@param text string?
function M.cancel(text)
  task.start(function()
    local line = runs.find(text, function(each)
      return each.canCancel
    end, 'that could be cancelled')
    local answer = client.call('greenloop/cancel', { run = line.run })
    if not answer.cancelled then
      say.info(('%s is over already'):format(line.title))
    end
  end)
end

--- Goes on with a run: the one named, else the newest that can go on.
---@param text string?
function M.resume(text)
  task.start(function()
    local line = runs.find(text, function(each)
      return each.canResume
    end, 'that could go on')
    if not line.canResume then
      task.refuse(('%q cannot go on'):format(line.title), 'Start it anew with :Greenloop fix')
    end
    M.newest = client.call('greenloop/resume', { run = line.run }).run
    say.info(line.title .. ' goes on')
  end)
end

return M
