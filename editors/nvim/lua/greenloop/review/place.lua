--- Which hunks are meant: those at the cursor or in a range, in whatever window that is.
local edits = require('greenloop.edits')
local list = require('greenloop.review.list')
local marks = require('greenloop.review.marks')
local review = require('greenloop.review')
local task = require('greenloop.task')
local texts = require('greenloop.review.texts')

local M = {}

---@class greenloop.Place
---@field run string
---@field path? string
---@field hunks string[] ids; empty where none is at the cursor

---@param lines greenloop.Lines?
---@param first integer row, from 0
---@param last integer row
---@return boolean
local function touches(lines, first, last)
  if type(lines) ~= 'table' then
    return false
  end
  return lines.line <= last and lines.line + math.max(lines.count, 1) - 1 >= first
end

--- The file of a proposal that a buffer shows, whichever of the three texts it holds.
---@param bufnr integer
---@return greenloop.Proposal?
---@return greenloop.ProposalFile?
---@return 'proposal'|'base'|'file'|nil side
function M.file_of(bufnr)
  local of = texts.of(bufnr)
  if of then
    local proposal = review.get(of.run)
    for _, file in ipairs(proposal and proposal.files or {}) do
      if file.path == of.path then
        return proposal, file, of.side
      end
    end
    return proposal, nil, of.side
  end
  local current = review.current()
  local candidates = vim.tbl_values(review.all()) ---@type greenloop.Proposal[]
  table.sort(candidates, function(a, b)
    if (a.run == current) ~= (b.run == current) then
      return a.run == current
    end
    return a.run > b.run
  end)
  for _, proposal in ipairs(candidates) do
    for _, file in ipairs(proposal.files) do
      if edits.loaded(file.uri) == bufnr then
        return proposal, file, 'file'
      end
    end
  end
  return nil, nil, nil
end

--- What is meant by lines of the current buffer; nil where no review has to do with it.
---@param first integer line, from 1
---@param last integer
---@return greenloop.Place?
function M.at(first, last)
  local bufnr = vim.api.nvim_get_current_buf()
  if vim.bo[bufnr].buftype == 'quickfix' then
    local entries = list.at(first, last)
    if #entries == 0 then
      return nil
    end
    local hunks = vim.tbl_map(function(each)
      return each.hunk
    end, entries)
    return { run = entries[1].run, path = entries[1].path, hunks = hunks }
  end
  local of_window = vim.b[bufnr].greenloop_place
    and require('greenloop.windows').place(bufnr, first, last)
  if of_window then
    return of_window
  end
  local proposal, file, side = M.file_of(bufnr)
  if not proposal then
    return nil
  end
  if not file then
    return { run = proposal.run, hunks = {} }
  end
  local hunks = {} ---@type string[]
  local placed = marks.within(bufnr, first - 1, last - 1)
  for _, each in ipairs(placed) do
    if each.run == proposal.run then
      table.insert(hunks, each.hunk)
    end
  end
  if #marks.all(bufnr) == 0 then
    for _, hunk in ipairs(file.hunks) do
      local lines = ({ proposal = hunk.proposed, base = hunk.base, file = hunk.now })[side]
      if touches(lines, first - 1, last - 1) then
        table.insert(hunks, hunk.id)
      end
    end
  end
  if #hunks == 0 and #file.hunks == 1 and side ~= 'file' then
    hunks = { file.hunks[1].id } -- such as a mode: there is nothing else to be meant
  end
  return { run = proposal.run, path = file.path, hunks = hunks }
end

--- What the words after `accept`, `reject` and `reopen` mean. To be called within a task.
---@param words string[]
---@param first integer line, from 1
---@param last integer
---@return string run
---@return greenloop.What
function M.meant(words, first, last)
  local place = M.at(first, last)
  local word = words[1] or 'hunk'
  local run = words[2] or (place and place.run) or nil
  if word == 'all' then
    local found = review.find(run)
    return found, {}
  elseif word == 'file' then
    if not (place and place.path) then
      task.refuse('no file of a review is here', 'Go to one, or use :Greenloop review')
    end
    return place.run, { path = place.path }
  elseif word ~= 'hunk' then
    local found = review.find(run)
    return found, { hunks = { word } }
  end
  if not place or #place.hunks == 0 then
    task.refuse('no hunk is at the cursor', 'Go to one with ]c, or use :Greenloop review')
  end
  return place.run, { hunks = place.hunks }
end

--- Ids of hunks and the words that can stand for them, for completion.
---@return string[]
function M.words()
  local found = { 'hunk', 'file', 'all' }
  local current = review.current()
  for _, file in ipairs(current and review.get(current) and review.get(current).files or {}) do
    for _, hunk in ipairs(file.hunks) do
      table.insert(found, hunk.id)
    end
  end
  return found
end

return M
