--- What is known of runs: the newest line of each, their logs, and who wants to hear of changes.
--- Draws nothing.
local client = require('greenloop.client')
local config = require('greenloop.config')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

local KEPT_LOG_LINES = 5000

---@type table<string, greenloop.RunLine>
local lines = {}

---@class greenloop.Log
---@field following integer number of the line that comes next
---@field lines greenloop.LogLine[]

---@type table<string, greenloop.Log>
local logs = {}

---@type table<string, true> runs that were seen going on, so that their end is news
local seen_going_on = {}

---@type string[] ids of tests that failed when they were last measured
local failing = {}

---@type table<table, fun(run: string)>
local listeners = {}

---@param line greenloop.RunLine
---@return boolean
function M.is_over(line)
  return line.state == 'finished' or line.state == 'interrupted'
end

--- Calls `told` after each change of a run, until the returned function is called.
---@param told fun(run: string)
---@return fun()
function M.listen(told)
  local key = {}
  listeners[key] = told
  return function()
    listeners[key] = nil
  end
end

---@param run string
local function tell(run)
  for _, told in pairs(listeners) do
    told(run)
  end
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'GreenloopRunChanged',
    modeline = false,
    data = { run = run, line = lines[run] },
  })
end

---@param line greenloop.RunLine
local function announce_end(line)
  if config.get().tell == 'none' then
    return
  end
  local outcome = line.message ~= '' and line.message or line.verdict
  local text = ('%s: %s'):format(line.title, outcome)
  local is_good = line.verdict == 'green' or line.verdict == 'passed'
  if line.canReview then
    text = text .. ' (:Greenloop review)'
  elseif line.canResume then
    text = text .. ' (:Greenloop resume)'
  elseif not is_good then
    text = text .. ' (:Greenloop log)'
  end
  if is_good or line.verdict == 'interrupted' then
    say.info(text)
  else
    say.warn(text)
  end
end

--- Takes what the server says of a run.
---@param line greenloop.RunLine
function M.take(line)
  local before = lines[line.run]
  lines[line.run] = line
  if not M.is_over(line) then
    if not seen_going_on[line.run] and config.get().tell == 'all' then
      say.info(line.title .. ': started')
    end
    seen_going_on[line.run] = true
  elseif seen_going_on[line.run] then
    seen_going_on[line.run] = nil
    announce_end(line)
  end
  if not vim.deep_equal(before, line) then
    tell(line.run)
  end
end

--- Takes lines of a run's log. A gap, where some were missed, is filled by the next `load_log`.
---@param run string
---@param news greenloop.LogLine[]
function M.take_log(run, news)
  local log = logs[run]
  if not log then
    return -- nobody has asked for it yet; it is fetched whole then
  end
  for _, line in ipairs(news) do
    if line.number == log.following then
      table.insert(log.lines, line)
      log.following = line.number + 1
    end
  end
  if #log.lines > KEPT_LOG_LINES then
    log.lines = vim.list_slice(log.lines, #log.lines - KEPT_LOG_LINES + 1)
  end
  tell(run)
  local last = news[#news]
  if last and last.number >= log.following then
    task.start(function()
      M.load_log(run)
    end)
  end
end

---@param news { results: greenloop.TestOutcome[], whole: boolean }
function M.take_tests(news)
  local kept = {} ---@type table<string, true>
  for _, id in ipairs(news.whole and {} or failing) do
    kept[id] = true
  end
  for _, result in ipairs(news.results) do
    kept[result.id] = (result.outcome == 'failed' or result.outcome == 'error') or nil
  end
  failing = vim.tbl_keys(kept)
  table.sort(failing)
end

---@return string[]
function M.failing()
  return failing
end

--- Runs, newest first.
---@return greenloop.RunLine[]
function M.all()
  local all = vim.tbl_values(lines) ---@type greenloop.RunLine[]
  table.sort(all, function(a, b)
    if a.startedAt ~= b.startedAt then
      return a.startedAt > b.startedAt
    end
    return a.run > b.run
  end)
  return all
end

---@param run string
---@return greenloop.RunLine?
function M.get(run)
  return lines[run]
end

---@param run string
---@return greenloop.LogLine[]
function M.log(run)
  return logs[run] and logs[run].lines or {}
end

--- Asks the server for its runs, older ones included. To be called within a task.
---@param bufnr integer?
function M.load(bufnr)
  local answer = client.call('greenloop/runs', { limit = config.get().runs.limit }, bufnr)
  for _, line in ipairs(answer.runs) do
    M.take(line)
  end
end

--- Asks for everything of one run, and for its log as far as it is missing. Within a task.
---@param run string
---@return greenloop.RunState
function M.load_state(run)
  local log = logs[run] or { following = 0, lines = {} }
  local state = client.call('greenloop/run', { run = run, logFrom = log.following })
  for _, line in ipairs(state.log) do
    if line.number >= log.following then
      table.insert(log.lines, line)
      log.following = line.number + 1
    end
  end
  logs[run] = log
  return state
end

--- Asks for what is missing of a run's log. To be called within a task.
---@param run string
function M.load_log(run)
  M.load_state(run)
  tell(run)
end

--- The server answers: what it knows of runs is fetched, also of runs of an earlier server.
function M.connected()
  task.start(function()
    M.load(nil)
  end, function() end)
end

--- The server is gone: what it was doing is not known to go on.
function M.disconnected()
  for run, line in pairs(lines) do
    if line.here and not M.is_over(line) then
      local changed = vim.tbl_extend('force', line, {
        state = 'interrupted',
        verdict = 'interrupted',
        message = 'the language server has ended',
        canCancel = false,
      })
      seen_going_on[run] = nil
      lines[run] = changed
      tell(run)
    end
  end
end

--- The run that a text means: its id or the beginning of it; without a text the newest that fits.
--- Refuses where there is none. To be called within a task.
---@param text string?
---@param fits fun(line: greenloop.RunLine): boolean
---@param what string such as `that can be cancelled`
---@return greenloop.RunLine
function M.find(text, fits, what)
  M.load(vim.api.nvim_get_current_buf())
  local found = {} ---@type greenloop.RunLine[]
  for _, line in ipairs(M.all()) do
    if text and text ~= '' then
      if line.run == text then
        return line
      elseif vim.startswith(line.run, text) then
        table.insert(found, line)
      end
    elseif fits(line) then
      return line
    end
  end
  if #found == 0 then
    local missing = text and text ~= '' and ('there is no run %q'):format(text)
      or 'there is no run ' .. what
    task.refuse(missing, ':Greenloop runs lists them', 'not_found')
  elseif #found > 1 then
    task.refuse(('%q fits %d runs'):format(text, #found), 'Write more of the id', 'bad_request')
  end
  return found[1]
end

--- What happens now in a few words, for a statusline; empty when nothing does.
---@return string
function M.summary()
  local going_on, waiting, to_review = {}, 0, 0 ---@type greenloop.RunLine[], integer, integer
  for _, line in ipairs(M.all()) do
    if line.state == 'running' then
      table.insert(going_on, line)
    elseif line.state == 'waiting' then
      waiting = waiting + 1
    elseif line.here and line.canReview and line.hunks and line.hunks.open > 0 then
      to_review = to_review + 1
    end
  end
  local parts = {} ---@type string[]
  if #going_on == 1 then
    local line = going_on[1]
    local percent = line.percent and (' %d%%'):format(math.floor(line.percent)) or ''
    table.insert(parts, (line.phase ~= '' and line.phase or 'running') .. percent)
  elseif #going_on > 1 then
    table.insert(parts, say.count(#going_on, 'run'))
  end
  if waiting > 0 then
    table.insert(parts, waiting .. ' waiting')
  end
  if to_review > 0 then
    table.insert(parts, to_review .. ' to review')
  end
  return table.concat(parts, ', ')
end

return M
