--- The :Greenloop command: its words, their completion, and what each does.
local client = require('greenloop.client')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

---@class greenloop.Sub
---@field about string
---@field run fun(call: greenloop.Call)
---@field complete? fun(words: string[]): string[]

---@param fits? fun(line: greenloop.RunLine): boolean
---@return fun(): string[]
local function run_ids(fits)
  return function()
    local found = {} ---@type string[]
    for _, line in ipairs(require('greenloop.runs').all()) do
      if not fits or fits(line) then
        table.insert(found, line.run)
      end
    end
    return found
  end
end

local COMPLETION_MS = 1000

--- Tests that can be named: of this buffer, and those that are known to fail.
---@return string[]
local function test_names()
  local found = { 'all', 'file' }
  local bufnr = vim.api.nvim_get_current_buf()
  local is_over = false
  if client.connection() and client.root(bufnr) then
    task.start(function()
      for _, unit in ipairs(require('greenloop.start').units(bufnr)) do
        if unit.kind ~= 'stub' then
          table.insert(found, unit.id)
        end
      end
      is_over = true
    end, function()
      is_over = true
    end)
    vim.wait(COMPLETION_MS, function()
      return is_over
    end, 5)
  end
  for _, id in ipairs(require('greenloop.runs').failing()) do
    if not vim.list_contains(found, id) then
      table.insert(found, id)
    end
  end
  return found
end

local SETTINGS = { 'strategy=auto', 'strategy=offline', 'strategy=model', 'model=', 'attempts=' }

---@param names string[]
---@return fun(): string[]
local function and_settings(names)
  return function()
    return vim.list_extend(vim.list_extend(test_names(), names), SETTINGS)
  end
end

---@param decision 'accept'|'reject'|'reopen'
---@return greenloop.Sub
local function decision_sub(decision, about)
  return {
    about = about,
    run = function(call)
      task.start(function()
        local place = require('greenloop.review.place')
        local run, what = place.meant(call.words, call.first, call.last)
        what.force = call.bang
        require('greenloop.review').decide(run, decision, what)
      end)
    end,
    complete = function(words)
      if #words > 0 then
        return run_ids(function(line)
          return line.canReview
        end)()
      end
      return require('greenloop.review.place').words()
    end,
  }
end

---@param module string
---@param name string
---@return fun(call: greenloop.Call)
local function with_run(module, name)
  return function(call)
    task.start(function()
      require(module)[name](call.words[1])
    end)
  end
end

---@param line greenloop.RunLine
---@return boolean
local function can_review(line)
  return line.canReview
end

---@param is_trusted boolean
---@return fun()
local function trust(is_trusted)
  return function()
    task.start(function()
      client.ensure(vim.api.nvim_get_current_buf())
      client.tell('greenloop/trust', { trusted = is_trusted })
      say.info(
        is_trusted and 'this session may run code of the repository'
          or 'nothing of the repository is run any more'
      )
    end)
  end
end

---@param step 1|-1
---@return fun()
local function jump(step)
  return function()
    task.start(function()
      require('greenloop.review.jump').go(step)
    end)
  end
end

---@type table<string, greenloop.Sub>
M.subs = {
  fix = {
    about = 'fix the test at the cursor, tests named, or all that fail',
    run = function(call)
      require('greenloop.start').fix(call)
    end,
    complete = and_settings({ 'diagnostic' }),
  },
  implement = {
    about = 'implement the stub at the cursor, the selection, or a goal',
    run = function(call)
      require('greenloop.start').implement(call)
    end,
    complete = function()
      return SETTINGS
    end,
  },
  test = {
    about = 'run the test at the cursor, tests named, or all',
    run = function(call)
      require('greenloop.start').test(call)
    end,
    complete = test_names,
  },
  runs = {
    about = 'show the runs',
    run = function()
      task.start(function()
        require('greenloop.windows.runs').open()
      end)
    end,
  },
  log = {
    about = 'show the log of a run',
    run = with_run('greenloop.windows.log', 'open'),
    complete = run_ids(),
  },
  cancel = {
    about = 'cancel a run',
    run = function(call)
      require('greenloop.start').cancel(call.words[1])
    end,
    complete = run_ids(function(line)
      return line.canCancel
    end),
  },
  resume = {
    about = 'go on with a run whose process has ended',
    run = function(call)
      require('greenloop.start').resume(call.words[1])
    end,
    complete = run_ids(function(line)
      return line.canResume
    end),
  },
  review = {
    about = 'review a patch in a tab of its own',
    run = function(call)
      task.start(function()
        require('greenloop.review.tab').open(require('greenloop.review').find(call.words[1]))
      end)
    end,
    complete = run_ids(can_review),
  },
  close = {
    about = 'close the review of this tab',
    run = function()
      if not require('greenloop.review.tab').close() then
        say.info('no review is shown in this tab')
      end
    end,
  },
  inline = {
    about = 'show the hunks of a patch in the files themselves, or hide them',
    run = with_run('greenloop.review.inline', 'toggle'),
    complete = run_ids(can_review),
  },
  hunks = {
    about = 'list the hunks of a patch in the quickfix window',
    run = function(call)
      task.start(function()
        local review = require('greenloop.review')
        require('greenloop.review.list').open(review.load(review.find(call.words[1])))
      end)
    end,
    complete = run_ids(can_review),
  },
  next = { about = 'go to the next open hunk', run = jump(1) },
  previous = { about = 'go to the open hunk before', run = jump(-1) },
  accept = decision_sub(
    'accept',
    'accept the hunk at the cursor, the file, or all; with ! if not green'
  ),
  reject = decision_sub('reject', 'reject the hunk at the cursor, the file, or all'),
  reopen = decision_sub('reopen', 'decide anew on a hunk, a file, or all'),
  check = {
    about = 'measure what is not rejected of a patch',
    run = function(call)
      task.start(function()
        local review = require('greenloop.review')
        local here = require('greenloop.review.tab').here()
        review.check(call.words[1] or here or review.find(nil))
      end)
    end,
    complete = run_ids(can_review),
  },
  undo = {
    about = 'take back everything that was accepted of a patch',
    run = function(call)
      task.start(function()
        local review = require('greenloop.review')
        local here = require('greenloop.review.tab').here() or review.current()
        review.undo(call.words[1] or here or review.find(nil))
      end)
    end,
    complete = run_ids(can_review),
  },
  status = {
    about = 'say whether this machine and this repository are ready',
    run = function()
      require('greenloop.status').show()
    end,
  },
  trust = { about = 'let code of the repository be run', run = trust(true) },
  untrust = { about = 'run nothing of the repository any more', run = trust(false) },
  restart = {
    about = 'start the language server anew',
    run = function()
      task.start(function()
        client.restart()
        say.info('the language server runs')
      end)
    end,
  },
  stop = {
    about = 'end the language server',
    run = function()
      task.start(function()
        client.stop()
        say.info('the language server has ended')
      end)
    end,
  },
}

---@return string[]
local function names()
  local found = vim.tbl_keys(M.subs)
  table.sort(found)
  return found
end

--- Carries out the command.
---@param call vim.api.keyset.create_user_command.command_args
function M.run(call)
  require('greenloop.review.marks').define_groups()
  local words = call.fargs
  if #words == 0 then
    task.start(function()
      require('greenloop.windows.runs').open()
    end)
    return
  end
  local sub = M.subs[words[1]]
  if not sub then
    say.error(
      ('there is no :Greenloop %s; there are: %s'):format(words[1], table.concat(names(), ', '))
    )
    return
  end
  local has_range = call.range > 0
  local cursor = vim.api.nvim_win_get_cursor(0)[1]
  sub.run({
    words = vim.list_slice(words, 2),
    bang = call.bang,
    first = has_range and call.line1 or cursor,
    last = has_range and call.line2 or cursor,
    has_range = has_range,
  })
end

--- Words that can stand at the cursor of the command line.
---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.complete(lead, line, position)
  local before = line:sub(1, position)
  local words =
    vim.split(vim.trim(before:gsub('^.-Greenloop!?', '', 1)), '%s+', { trimempty = true })
  local is_new_word = before:match('%s$') ~= nil
  if not is_new_word then
    table.remove(words)
  end
  local candidates ---@type string[]
  if #words == 0 then
    candidates = names()
  else
    local sub = M.subs[words[1]]
    candidates = sub and sub.complete and sub.complete(vim.list_slice(words, 2)) or {}
  end
  return vim.tbl_filter(function(each)
    return vim.startswith(each, lead)
  end, candidates)
end

return M
