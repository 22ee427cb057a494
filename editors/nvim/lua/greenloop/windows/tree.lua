--- The lines of the runs window, from what is known of runs. Pure: draws and fetches nothing.
local marks = require('greenloop.review.marks')
local review = require('greenloop.review')

local M = {}

---@class greenloop.Node
---@field text string
---@field group string highlight of the line
---@field run string
---@field path? string
---@field hunk? string
---@field uri? string where <CR> goes
---@field line? integer from 0
---@field test? string
---@field opens? boolean whether it can be opened and closed

local GROUPS = {
  green = 'GreenloopAccepted',
  passed = 'GreenloopAccepted',
  failed = 'GreenloopRejected',
  regressed = 'GreenloopRejected',
  broken = 'GreenloopRejected',
  tampered = 'GreenloopRejected',
  error = 'GreenloopRejected',
  infrastructure = 'GreenloopWarn',
  interrupted = 'GreenloopHint',
}

---@param seconds number
---@return string
function M.duration(seconds)
  seconds = math.max(math.floor(seconds + 0.5), 0)
  if seconds < 60 then
    return seconds .. 's'
  elseif seconds < 3600 then
    return ('%dm%02ds'):format(math.floor(seconds / 60), seconds % 60)
  end
  return ('%dh%02dm'):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

---@param line greenloop.RunLine
---@return string
local function state(line)
  if line.state == 'running' then
    local percent = line.percent and line.percent ~= vim.NIL and (' %d%%'):format(line.percent)
      or ''
    return (line.phase ~= '' and line.phase or 'running') .. percent
  elseif line.state == 'waiting' then
    return 'waiting'
  end
  local confidence = line.confidence ~= '' and ' ' .. line.confidence or ''
  return (line.verdict ~= '' and line.verdict or line.state) .. confidence
end

--- The line of a run.
---@param line greenloop.RunLine
---@param is_open boolean
---@param now number seconds since 1970
---@return greenloop.Node
function M.run_node(line, is_open, now)
  local ended = type(line.endedAt) == 'number' and line.endedAt or nil
  local is_over = line.state == 'finished' or line.state == 'interrupted'
  local parts = { ('%s %-18s %s'):format(is_open and '▾' or '▸', state(line), line.title) }
  local hunks = type(line.hunks) == 'table' and line.hunks or nil
  if hunks then
    local counts = {} ---@type string[]
    for _, name in ipairs({ 'open', 'accepted', 'rejected' }) do
      if hunks[name] > 0 then
        table.insert(counts, ('%d %s'):format(hunks[name], name))
      end
    end
    table.insert(parts, '[' .. table.concat(counts, ', ') .. ']')
  elseif not is_over and line.doing ~= '' then
    table.insert(parts, '· ' .. line.doing)
  end
  if line.startedAt > 0 and (ended or not is_over) then
    table.insert(parts, M.duration((ended or now) - line.startedAt))
  end
  if not line.here and not is_over then
    table.insert(parts, '(another process)')
  end
  return {
    text = table.concat(parts, '  '),
    group = GROUPS[line.verdict] or (not is_over and 'GreenloopOpen' or 'GreenloopHint'),
    run = line.run,
    opens = true,
  }
end

---@param attempt greenloop.Attempt
---@return string
function M.attempt_text(attempt)
  local cost = type(attempt.costUsd) == 'number' and (' · $%.3f'):format(attempt.costUsd) or ''
  return ('attempt %d · %s · %s · step %d of %d%s%s'):format(
    attempt.attempt,
    attempt.model,
    attempt.state:gsub('_', ' '),
    attempt.step,
    attempt.steps,
    cost,
    attempt.doing ~= '' and ' · ' .. attempt.doing or ''
  )
end

---@param text string
---@return string
local function one_line(text)
  return (vim.trim(text):gsub('%s*\n%s*', ' '))
end

--- What lies beneath an open run.
---@param line greenloop.RunLine
---@param known greenloop.RunState?
---@param proposal greenloop.Proposal?
---@return greenloop.Node[]
function M.details(line, known, proposal)
  local nodes = {} ---@type greenloop.Node[]
  local function add(text, group, more, depth)
    local indent = ('  '):rep((depth or 1) + 1)
    local node = { text = indent .. one_line(text), group = group, run = line.run }
    table.insert(nodes, vim.tbl_extend('force', node, more or {}))
  end
  if line.message ~= '' then
    add(line.message, GROUPS[line.verdict] or 'GreenloopHint')
  end
  if not known then
    add('…', 'GreenloopHint')
    return nodes
  end
  if known.environment ~= '' then
    local weaker = known.weaker ~= '' and ' (does not enforce: ' .. known.weaker .. ')' or ''
    add('in ' .. known.environment .. weaker, 'GreenloopHint')
  end
  for _, attempt in ipairs(known.attempts) do
    add(
      M.attempt_text(attempt),
      attempt.state == 'green' and 'GreenloopAccepted' or 'GreenloopOpen'
    )
    for _, step in ipairs(attempt.plan) do
      add(step, 'GreenloopHint', nil, 2)
    end
  end
  for _, failure in ipairs(known.failures) do
    local text = ('✗ %s  %s'):format(failure.id, one_line(failure.message))
    local has_place = failure.uri ~= ''
    add(text, 'GreenloopRejected', {
      test = failure.id,
      uri = has_place and failure.uri or nil,
      line = has_place and failure.range.start.line or nil,
    })
  end
  for _, candidate in ipairs(known.candidates) do
    local text = ('candidate %d · %s · %s'):format(
      candidate.rank,
      candidate.verdict,
      candidate.why
    )
    add(text, GROUPS[candidate.verdict] or 'GreenloopHint')
  end
  for _, file in ipairs(proposal and proposal.files or {}) do
    add(
      file.path .. (file.edited and ' (edited)' or ''),
      'Directory',
      { path = file.path, uri = file.uri }
    )
    for _, hunk in ipairs(file.hunks) do
      local lines = type(hunk.now) == 'table' and hunk.now or hunk.base
      add(
        ('line %d: %s'):format(lines.line + 1, review.hunk_text(file, hunk)),
        marks.GROUP_OF[hunk.state],
        { path = file.path, hunk = hunk.id, uri = file.uri, line = lines.line },
        2
      )
    end
  end
  for _, note in ipairs(known.notes) do
    add(note, 'GreenloopHint')
  end
  if known.receipt ~= '' then
    add(
      'evidence: ' .. known.receipt,
      'GreenloopHint',
      { uri = vim.uri_from_fname(known.receipt), line = 0 }
    )
  end
  return nodes
end

return M
