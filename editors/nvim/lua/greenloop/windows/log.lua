--- The log of a run in a buffer, live while the run goes on.
local runs = require('greenloop.runs')
local windows = require('greenloop.windows')

local M = {}

local namespace = vim.api.nvim_create_namespace('greenloop.log')
local HEIGHT = 15
local EVERY_MS = 150

local GROUPS = {
  phase = 'Title',
  tests = 'GreenloopOpen',
  tool = 'Identifier',
  verdict = 'GreenloopAccepted',
  notice = 'GreenloopWarn',
  ['end'] = 'Title',
}

---@class greenloop.LogBuffer
---@field bufnr integer
---@field drawn integer number of the last line that is drawn, -1 at first
---@field is_soon boolean

---@type table<string, greenloop.LogBuffer>
local buffers = {}

--- What a line of a log looks like: its time, its text, and the diff of an edit beneath.
---@param line greenloop.LogLine
---@return string[] texts
---@return string[] groups
function M.texts(line)
  local time = os.date('%H:%M:%S', math.floor(line.at))
  local texts = { ('%s  %-7s %s'):format(time, line.kind, (line.text:gsub('\n', ' '))) }
  local groups = { GROUPS[line.kind] or 'Normal' }
  if type(line.diff) == 'string' and line.diff ~= '' then
    for _, each in ipairs(vim.split(vim.trim(line.diff), '\n', { plain = true })) do
      table.insert(texts, '            ' .. each:gsub('\r', ''))
      local first = each:sub(1, 1)
      table.insert(
        groups,
        first == '+' and 'GreenloopAdd' or first == '-' and 'GreenloopDelete' or 'GreenloopHint'
      )
    end
  end
  return texts, groups
end

---@param run string
local function draw(run)
  local log = buffers[run]
  if not log or not vim.api.nvim_buf_is_valid(log.bufnr) then
    buffers[run] = nil
    return
  end
  local following = {} ---@type table<integer, true> windows that stay at the end
  local last = vim.api.nvim_buf_line_count(log.bufnr)
  for _, window in ipairs(vim.fn.win_findbuf(log.bufnr)) do
    following[window] = vim.api.nvim_win_get_cursor(window)[1] >= last or nil
  end
  local texts, groups = {}, {} ---@type string[], string[]
  for _, line in ipairs(runs.log(run)) do
    if line.number > log.drawn then
      local more, more_groups = M.texts(line)
      vim.list_extend(texts, more)
      vim.list_extend(groups, more_groups)
    end
  end
  local lines = runs.log(run)
  local is_first = log.drawn < 0
  log.drawn = #lines > 0 and lines[#lines].number or log.drawn
  if #texts > 0 then
    windows.set_lines(log.bufnr, is_first and 0 or last, -1, texts)
    for number, group in ipairs(groups) do
      local row = (is_first and 0 or last) + number - 1
      vim.api.nvim_buf_set_extmark(log.bufnr, namespace, row, 0, {
        end_col = #texts[number],
        hl_group = group,
      })
    end
  elseif is_first and #lines == 0 then
    windows.set_lines(log.bufnr, 0, -1, { 'Nothing has been noted yet.' })
  end
  local line = runs.get(run)
  if line then
    vim.b[log.bufnr].greenloop_state = line.state
  end
  for window in pairs(following) do
    if vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(log.bufnr), 0 })
    end
  end
end

runs.listen(function(run)
  local log = buffers[run]
  if not log or log.is_soon then
    return
  end
  log.is_soon = true
  vim.defer_fn(function()
    log.is_soon = false
    draw(run)
  end, EVERY_MS)
end)

--- Opens the log of a run. To be called within a task.
---@param text string?
function M.open(text)
  local line = runs.find(text, function()
    return true
  end, 'with a log')
  local run = line.run
  runs.load_state(run)
  if not buffers[run] or not vim.api.nvim_buf_is_valid(buffers[run].bufnr) then
    local bufnr = windows.buffer('greenloop://log/' .. run, 'greenloop-log')
    buffers[run] = { bufnr = bufnr, drawn = -1, is_soon = false }
    vim.keymap.set(
      'n',
      'q',
      '<Cmd>close<CR>',
      { buffer = bufnr, nowait = true, desc = 'Greenloop: close' }
    )
  end
  local window = windows.open(buffers[run].bufnr, HEIGHT)
  local bar = (' log: %s'):format(line.title):gsub('%%', '%%%%')
  vim.api.nvim_set_option_value('winbar', bar, { win = window, scope = 'local' })
  draw(run)
  vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(buffers[run].bufnr), 0 })
end

return M
