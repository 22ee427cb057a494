--- Quickfix lists: the hunks of a proposal with their states, and conflicts of an accept.
local review = require('greenloop.review')
local say = require('greenloop.say')

local M = {}

---@type table<string, integer> id of the quickfix list of a run's hunks
local lists = {}

--- Entries of a quickfix list, one for each hunk.
---@param proposal greenloop.Proposal
---@return vim.quickfix.entry[]
function M.entries(proposal)
  local found = {} ---@type vim.quickfix.entry[]
  local types = { open = 'I', accepted = 'N', rejected = 'N' }
  for _, file in ipairs(proposal.files) do
    for _, hunk in ipairs(file.hunks) do
      local lines = type(hunk.now) == 'table' and hunk.now or hunk.base
      table.insert(found, {
        filename = vim.uri_to_fname(file.uri),
        lnum = lines.line + 1,
        end_lnum = lines.line + math.max(lines.count, 1),
        type = hunk.conflict and hunk.conflict ~= vim.NIL and 'W' or types[hunk.state],
        text = review.hunk_text(file, hunk),
        user_data = { greenloop = { run = proposal.run, path = file.path, hunk = hunk.id } },
      })
    end
  end
  return found
end

---@param proposal greenloop.Proposal
---@return table
local function content(proposal)
  local check = review.check_text(proposal)
  return {
    title = ('Greenloop: %s (%s)'):format(proposal.title, check),
    context = { greenloop = proposal.run },
    items = M.entries(proposal),
  }
end

--- Puts the hunks of a proposal into a quickfix list and opens it.
---@param proposal greenloop.Proposal
function M.open(proposal)
  if #M.entries(proposal) == 0 then
    say.info('nothing is proposed')
    return
  end
  vim.fn.setqflist({}, ' ', content(proposal))
  lists[proposal.run] = vim.fn.getqflist({ id = 0 }).id
  vim.cmd('botright copen')
end

--- Renews a list that was made before and still exists; the place in it stays.
---@param proposal greenloop.Proposal
local function renew(proposal)
  local id = lists[proposal.run]
  if not id or vim.fn.getqflist({ id = id }).id ~= id then
    lists[proposal.run] = nil
    return
  end
  local place = vim.fn.getqflist({ id = id, idx = 0 }).idx
  local what = vim.tbl_extend('force', content(proposal), { id = id, idx = math.max(place, 1) })
  vim.fn.setqflist({}, 'r', what)
end

review.listen(renew)

---@param text string
---@return string
local function first_line(text)
  local line = vim.split(text, '\n', { plain = true })[1] or ''
  return line ~= '' and vim.trim(line) or '(nothing)'
end

--- Shows where hunks met newer text: what the patch expected there and what stands there.
---@param decided greenloop.Decided
function M.conflicts(decided)
  local uris = {} ---@type table<string, string>
  for _, file in ipairs(decided.proposal.files) do
    uris[file.path] = file.uri
  end
  local items = {} ---@type vim.quickfix.entry[]
  for _, each in ipairs(decided.conflicts) do
    local text = each.why
    if each.expected ~= '' or each.found ~= '' then
      text = ('%s: expected %s, found %s'):format(
        text,
        first_line(each.expected),
        first_line(each.found)
      )
    end
    table.insert(items, {
      filename = uris[each.path] and vim.uri_to_fname(uris[each.path]) or each.path,
      lnum = each.line + 1,
      type = 'W',
      text = text,
      user_data = {
        greenloop = { run = decided.proposal.run, path = each.path, hunk = each.hunks[1] },
      },
    })
  end
  vim.fn.setqflist({}, ' ', {
    title = 'Greenloop: conflicts of ' .. decided.proposal.title,
    context = { greenloop = decided.proposal.run },
    items = items,
  })
  local here = vim.api.nvim_get_current_win()
  vim.cmd('botright copen')
  vim.api.nvim_set_current_win(here)
end

--- The hunk of the entry at the cursor of a quickfix window.
---@param first integer line, from 1
---@param last integer
---@return { run: string, path: string, hunk: string }[]
function M.at(first, last)
  local found = {}
  local items = vim.fn.getqflist()
  for number = first, last do
    local data = vim.tbl_get(items[number] or {}, 'user_data', 'greenloop')
    if data then
      table.insert(found, data)
    end
  end
  return found
end

return M
