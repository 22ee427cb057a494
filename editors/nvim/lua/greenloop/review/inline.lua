--- Hunks drawn into the user's own buffers: lines that would go are marked, new ones are virtual.
--- No text is changed.
local edits = require('greenloop.edits')
local marks = require('greenloop.review.marks')
local review = require('greenloop.review')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

---@type table<integer, { run: string, path: string }> buffers in which hunks are drawn
local shown = {}

--- Lines of a text, without the one behind its last line end.
---@param text string
---@return string[]
local function lines_of(text)
  local lines = vim.split(text:gsub('\r\n', '\n'), '\n', { plain = true })
  if lines[#lines] == '' then
    lines[#lines] = nil
  end
  return lines
end

---@param bufnr integer
---@param file greenloop.ProposalFile
---@param hunk greenloop.Hunk
---@param run string
local function draw(bufnr, file, hunk, run)
  local now = type(hunk.now) == 'table' and hunk.now or hunk.base
  local mark = { run = run, path = file.path, hunk = hunk.id, state = hunk.state }
  if hunk.state ~= 'open' then
    return
  end
  local below = {} ---@type [string, string][][]
  table.insert(below, marks.label(file, hunk))
  if not file.binary then
    for _, line in ipairs(lines_of(hunk.new)) do
      table.insert(below, { { line ~= '' and line or ' ', 'GreenloopAdd' } })
    end
  end
  if now.count > 0 then
    local _, stop = marks.rows(bufnr, now)
    marks.add(bufnr, now, mark, { line_hl_group = 'GreenloopDelete' })
    local last = math.max(stop - 1, 0)
    vim.api.nvim_buf_set_extmark(bufnr, marks.namespace, last, 0, { virt_lines = below })
  else
    -- Lines that come in between: drawn above the line that they push down, or under the last one.
    local is_behind = now.line >= vim.api.nvim_buf_line_count(bufnr)
    marks.add(bufnr, now, mark, { virt_lines = below, virt_lines_above = not is_behind })
  end
end

---@param bufnr integer
local function renew(bufnr)
  local of = shown[bufnr]
  local proposal = of and review.get(of.run)
  marks.clear(bufnr)
  if not proposal or not vim.api.nvim_buf_is_loaded(bufnr) then
    shown[bufnr] = nil
    return
  end
  for _, file in ipairs(proposal.files) do
    if file.path == of.path then
      for _, hunk in ipairs(file.hunks) do
        draw(bufnr, file, hunk, of.run)
      end
    end
  end
end

review.listen(function(proposal)
  for bufnr, of in pairs(shown) do
    if of.run == proposal.run then
      renew(bufnr)
    end
  end
end)

---@param bufnr integer
function M.hide(bufnr)
  shown[bufnr] = nil
  marks.clear(bufnr)
end

---@param bufnr integer
---@return boolean
function M.is_shown(bufnr)
  return shown[bufnr] ~= nil
end

--- Draws the hunks of a run into every loaded buffer that they are about.
---@param run string
---@return integer # how many buffers
local function show(run)
  local proposal = assert(review.get(run))
  local count = 0
  for _, file in ipairs(proposal.files) do
    local bufnr = edits.loaded(file.uri)
    if bufnr then
      shown[bufnr] = { run = run, path = file.path }
      renew(bufnr)
      count = count + 1
    end
  end
  return count
end

--- Shows hunks in the user's buffers, or hides them where they are shown. Within a task.
---@param text string? the run
function M.toggle(text)
  local here = vim.api.nvim_get_current_buf()
  if M.is_shown(here) and not text then
    for bufnr in pairs(vim.deepcopy(shown)) do
      M.hide(bufnr)
    end
    return
  end
  local run = review.find(text)
  local proposal = review.load(run)
  if show(run) == 0 then
    local names = vim.tbl_map(function(file)
      return file.path
    end, proposal.files)
    task.refuse('no file of this patch is open', 'Open one of: ' .. table.concat(names, ', '))
  end
  if not M.is_shown(here) then
    say.info('hunks are shown in other open files of this patch')
  end
end

return M
