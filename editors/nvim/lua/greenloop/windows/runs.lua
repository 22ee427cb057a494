--- The runs window: a tree of runs, attempts, tests and hunks that follows what happens.
local config = require('greenloop.config')
local review = require('greenloop.review')
local runs = require('greenloop.runs')
local task = require('greenloop.task')
local tree = require('greenloop.windows.tree')
local windows = require('greenloop.windows')

local M = {}

local namespace = vim.api.nvim_create_namespace('greenloop.runs')
local EVERY_MS = 150

local buffer = nil ---@type integer?
local nodes = {} ---@type greenloop.Node[]
local is_open = {} ---@type table<string, true>
local states = {} ---@type table<string, greenloop.RunState>
local is_drawing_soon = false
local timer = nil ---@type uv.uv_timer_t?

---@return boolean
local function is_seen()
  return buffer ~= nil and vim.api.nvim_buf_is_valid(buffer) and vim.fn.bufwinid(buffer) ~= -1
end

---@return greenloop.Node[]
local function all_nodes()
  local found = {} ---@type greenloop.Node[]
  local now = os.time()
  for _, line in ipairs(runs.all()) do
    table.insert(found, tree.run_node(line, is_open[line.run] or false, now))
    if is_open[line.run] then
      vim.list_extend(found, tree.details(line, states[line.run], review.get(line.run)))
    end
  end
  return found
end

--- Draws the window anew; the cursor stays on what it was on.
local function draw()
  if not buffer or not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  local window = vim.fn.bufwinid(buffer)
  local row = window ~= -1 and vim.api.nvim_win_get_cursor(window)[1] or 1
  local at = nodes[row]
  nodes = all_nodes()
  local lines = vim.tbl_map(function(node)
    return node.text
  end, nodes)
  if #lines == 0 then
    lines = { 'No runs yet. :Greenloop fix starts one.' }
  end
  windows.set_lines(buffer, 0, -1, lines)
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for number, node in ipairs(nodes) do
    vim.api.nvim_buf_set_extmark(buffer, namespace, number - 1, 0, {
      end_col = #node.text,
      hl_group = node.group,
    })
  end
  if window ~= -1 and at then
    for number, node in ipairs(nodes) do
      if
        node.run == at.run
        and node.hunk == at.hunk
        and node.path == at.path
        and node.test == at.test
      then
        row = number
        break
      end
    end
    vim.api.nvim_win_set_cursor(window, { math.min(row, #lines), 0 })
  end
end

local function draw_soon()
  if is_drawing_soon or not is_seen() then
    return
  end
  is_drawing_soon = true
  vim.defer_fn(function()
    is_drawing_soon = false
    draw()
  end, EVERY_MS)
end

---@param run string
local function load(run)
  task.start(function()
    local line = runs.get(run)
    states[run] = runs.load_state(run)
    if line and line.canReview and not review.get(run) then
      review.load(run)
    end
    draw_soon()
  end)
end

runs.listen(function(run)
  if is_seen() then
    if is_open[run] then
      load(run)
    end
    draw_soon()
  end
end)

review.listen(draw_soon)

---@return greenloop.Node?
local function at_cursor()
  return nodes[vim.api.nvim_win_get_cursor(0)[1]]
end

---@param node greenloop.Node
local function toggle(node)
  if is_open[node.run] then
    is_open[node.run] = nil
  else
    is_open[node.run] = true
    load(node.run)
  end
  draw()
end

---@param node greenloop.Node
local function follow(node)
  if node.uri then
    vim.cmd('wincmd p')
    vim.cmd('edit ' .. vim.fn.fnameescape(vim.uri_to_fname(node.uri)))
    if node.line then
      local last = vim.api.nvim_buf_line_count(0)
      vim.api.nvim_win_set_cursor(0, { math.min(node.line + 1, last), 0 })
    end
  elseif node.opens then
    toggle(node)
  end
end

---@param bufnr integer
local function map(bufnr)
  local function with_node(action)
    return function()
      local node = at_cursor()
      if node then
        action(node)
      end
    end
  end
  local function command(words)
    return with_node(function(node)
      vim.cmd('Greenloop ' .. words .. ' ' .. node.run)
    end)
  end
  local function set(key, action, text)
    vim.keymap.set(
      'n',
      key,
      action,
      { buffer = bufnr, nowait = true, desc = 'Greenloop: ' .. text }
    )
  end
  set('<CR>', with_node(follow), 'open, close or go to')
  set('<Tab>', with_node(toggle), 'open or close the run')
  set('c', command('cancel'), 'cancel the run')
  set('r', command('review'), 'review the patch')
  set('l', command('log'), 'show the log')
  set('s', command('resume'), 'go on with the run')
  set('u', command('undo'), 'take back what was accepted')
  set('a', '<Cmd>Greenloop accept<CR>', 'accept the hunk')
  set('x', '<Cmd>Greenloop reject<CR>', 'reject the hunk')
  set(
    'f',
    with_node(function(node)
      if node.test then
        vim.cmd('Greenloop fix ' .. node.test)
      end
    end),
    'fix the failing test'
  )
  set('q', '<Cmd>close<CR>', 'close the window')
  set('g?', '<Cmd>help greenloop-runs-window<CR>', 'help')
end

--- Opens the window, or goes to it. To be called within a task.
function M.open()
  local here = vim.api.nvim_get_current_buf()
  runs.load(here)
  if not buffer or not vim.api.nvim_buf_is_valid(buffer) then
    buffer = windows.buffer('greenloop://runs', 'greenloop-runs')
    vim.b[buffer].greenloop_place = 'runs'
    if config.get().runs.maps then
      map(buffer)
    end
  end
  windows.open(buffer, config.get().runs.height)
  draw()
  if not timer then
    timer = assert(vim.uv.new_timer())
    timer:start(
      1000,
      1000,
      vim.schedule_wrap(function()
        if not is_seen() then
          if timer and not timer:is_closing() then
            timer:close()
          end
          timer = nil
          return
        end
        local goes_on = vim.iter(runs.all()):any(function(line)
          return not runs.is_over(line)
        end)
        if goes_on then
          draw_soon()
        end
      end)
    )
  end
end

--- The hunks that lines of the window stand for.
---@param first integer line, from 1
---@param last integer
---@return greenloop.Place?
function M.place(first, last)
  local found ---@type greenloop.Place?
  for number = first, last do
    local node = nodes[number]
    if node and (not found or found.run == node.run) then
      found = found or { run = node.run, path = node.path, hunks = {} }
      if node.hunk then
        table.insert(found.hunks, node.hunk)
      end
    end
  end
  return found
end

return M
