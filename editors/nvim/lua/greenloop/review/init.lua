--- Proposals of runs as the server has them, and decisions on their hunks. Draws nothing: views
--- listen and draw.
local client = require('greenloop.client')
local edits = require('greenloop.edits')
local runs = require('greenloop.runs')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

---@type table<string, greenloop.Proposal> by run; only those that something shows
local proposals = {}

---@type table<table, fun(proposal: greenloop.Proposal)>
local listeners = {}

---@type string? the run whose review was looked at last
local current = nil

--- Calls `told` with each new state of a proposal, until the returned function is called.
---@param told fun(proposal: greenloop.Proposal)
---@return fun()
function M.listen(told)
  local key = {}
  listeners[key] = told
  return function()
    listeners[key] = nil
  end
end

--- Takes a proposal; an older one than what is known is left out.
---@param proposal greenloop.Proposal
function M.take(proposal)
  local known = proposals[proposal.run]
  if known and known.revision > proposal.revision then
    return
  end
  proposals[proposal.run] = proposal
  for _, told in pairs(listeners) do
    told(proposal)
  end
  vim.api.nvim_exec_autocmds('User', {
    pattern = 'GreenloopProposalChanged',
    modeline = false,
    data = { run = proposal.run, proposal = proposal },
  })
end

---@param run string
---@return greenloop.Proposal?
function M.get(run)
  return proposals[run]
end

---@return table<string, greenloop.Proposal>
function M.all()
  return proposals
end

---@return string?
function M.current()
  return current
end

--- Fetches a proposal and makes it the current one. To be called within a task.
---@param run string
---@return greenloop.Proposal
function M.load(run)
  local proposal = client.call('greenloop/proposal', { run = run })
  current = run
  M.take(proposal)
  return proposals[run]
end

--- Something of a proposal has changed on the server: fetched anew if it is shown anywhere.
---@param run string
---@param revision integer
function M.changed(run, revision)
  local known = proposals[run]
  if not known or (known.revision >= revision and known.check.state ~= 'running') then
    return
  end
  task.start(function()
    M.take(client.call('greenloop/proposal', { run = run }))
  end)
end

--- The run that a text means; without one the current review, else the newest with a patch.
---@param text string?
---@return string run
function M.find(text)
  if (not text or text == '') and current then
    local proposal = proposals[current]
    if proposal and M.count(proposal).open > 0 then
      return current
    end
  end
  local line = runs.find(text, function(each)
    return each.canReview
  end, 'with a patch')
  if not line.canReview then
    task.refuse(('%q has no patch to review'):format(line.title), ':Greenloop log tells why')
  end
  return line.run
end

--- How many hunks are in which state.
---@param proposal greenloop.Proposal
---@return { open: integer, accepted: integer, rejected: integer }
function M.count(proposal)
  local found = { open = 0, accepted = 0, rejected = 0 }
  for _, file in ipairs(proposal.files) do
    for _, hunk in ipairs(file.hunks) do
      found[hunk.state] = found[hunk.state] + 1
    end
  end
  return found
end

--- The check in a few words.
---@param proposal greenloop.Proposal
---@return string text
---@return string highlight
function M.check_text(proposal)
  local check = proposal.check
  if check.state == 'running' then
    return 'measuring what is left', 'GreenloopOpen'
  elseif check.state == 'stale' then
    return 'not measured since it was changed', 'GreenloopWarn'
  elseif check.state == 'failed' then
    return 'not measured: ' .. check.message, 'GreenloopWarn'
  elseif check.verdict == '' then
    return check.message ~= '' and check.message or 'nothing left', 'GreenloopHint'
  end
  local group = check.verdict == 'green' and 'GreenloopAccepted' or 'GreenloopRejected'
  return check.verdict, group
end

---@param text string
---@return integer
local function count_lines(text)
  local _, breaks = text:gsub('\n', '')
  return breaks + ((text ~= '' and text:sub(-1) ~= '\n') and 1 or 0)
end

--- A hunk in a line: where, how large, why.
---@param file greenloop.ProposalFile
---@param hunk greenloop.Hunk
---@return string
function M.hunk_text(file, hunk)
  local parts = { hunk.state }
  if hunk.kind == 'add' then
    table.insert(parts, 'new file')
  elseif hunk.kind == 'delete' then
    table.insert(parts, 'file is deleted')
  elseif hunk.kind == 'mode' then
    table.insert(parts, 'mode of the file')
  elseif file.binary then
    table.insert(parts, 'binary')
  end
  if not file.binary then
    table.insert(parts, ('+%d -%d'):format(count_lines(hunk.new), count_lines(hunk.old)))
  end
  if #hunk.neededFor > 0 then
    local more = #hunk.neededFor > 1 and (' and %d more'):format(#hunk.neededFor - 1) or ''
    table.insert(parts, 'needed for ' .. hunk.neededFor[1]:gsub('^.*::', '') .. more)
  end
  if hunk.ownTest then
    table.insert(parts, 'adds a test')
  end
  if hunk.conflict and hunk.conflict ~= vim.NIL and hunk.conflict ~= '' then
    table.insert(parts, 'conflict: ' .. hunk.conflict)
  end
  return table.concat(parts, ' · ')
end

--- Writes what may be written, shows conflicts, and says what was done.
---@param decided greenloop.Decided
---@param clean table<integer, true>
---@param count integer how many hunks
---@param done_word string
local function settle(decided, clean, count, done_word)
  local unsaved = edits.settle(decided.done, clean)
  M.take(decided.proposal)
  if #decided.conflicts > 0 then
    require('greenloop.review.list').conflicts(decided)
    local text = '%s of the patch left out: %s; the quickfix list shows where'
    say.warn(text:format(say.count(#decided.conflicts, 'place'), decided.conflicts[1].why))
  end
  if count > 0 then
    local text = ('%s %s'):format(done_word, say.count(count, 'hunk'))
    if unsaved > 0 then
      text = ('%s; %s changed and not written'):format(text, say.count(unsaved, 'file'))
    end
    say.info(text)
  elseif #decided.conflicts == 0 then
    say.info('no hunk has changed')
  end
end

---@class greenloop.What
---@field hunks? string[]
---@field path? string
---@field force? boolean

local DONE = { accept = 'accepted', reject = 'rejected', reopen = 'reopened' }
local STATE = { accept = 'accepted', reject = 'rejected', reopen = 'open' }

--- Accepts, rejects or reopens hunks. To be called within a task.
---@param run string
---@param decision 'accept'|'reject'|'reopen'
---@param what greenloop.What
function M.decide(run, decision, what)
  local before = M.count(proposals[run] or M.load(run))
  local clean = edits.clean()
  local decided = client.call('greenloop/decide', {
    run = run,
    decision = decision,
    hunks = what.hunks,
    path = what.path,
    evenIfNotGreen = what.force or nil,
  })
  if decided.refused ~= '' then
    M.take(decided.proposal)
    local remedy = decision == 'accept'
        and not what.force
        and ':Greenloop! accept takes it all the same'
      or ''
    task.refuse(decided.refused, remedy)
  end
  local state = STATE[decision]
  settle(decided, clean, M.count(decided.proposal)[state] - before[state], DONE[decision])
end

--- Takes back everything that was accepted. To be called within a task.
---@param run string
function M.undo(run)
  local before = M.count(proposals[run] or M.load(run))
  local clean = edits.clean()
  local decided = client.call('greenloop/undo', { run = run })
  if decided.refused ~= '' then
    M.take(decided.proposal)
    task.refuse(decided.refused)
  end
  local count = before.accepted - M.count(decided.proposal).accepted
  settle(decided, clean, count, 'took back')
end

--- Measures what is not rejected. To be called within a task.
---@param run string
function M.check(run)
  say.info('measuring what is left of the patch')
  local proposal = client.call('greenloop/check', { run = run })
  M.take(proposal)
  local text = M.check_text(proposal)
  say.info(proposal.check.message ~= '' and text .. ': ' .. proposal.check.message or text)
end

--- Sends a proposed text that was changed by hand. To be called within a task.
---@param run string
---@param path string
---@param text string
function M.edit(run, path, text)
  M.take(client.call('greenloop/edit', { run = run, path = path, text = text }))
end

return M
