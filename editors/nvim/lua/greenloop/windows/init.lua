--- Windows of Greenloop's own buffers, and which hunks are meant by their lines.
local M = {}

--- Opens a window for a buffer at the bottom, or goes to the one that shows it.
---@param bufnr integer
---@param height integer
---@return integer window
function M.open(bufnr, height)
  local found = vim.fn.bufwinid(bufnr)
  if found ~= -1 then
    vim.api.nvim_set_current_win(found)
    return found
  end
  vim.cmd('botright ' .. height .. 'split')
  local window = vim.api.nvim_get_current_win()
  vim.api.nvim_win_set_buf(window, bufnr)
  for option, value in pairs({
    number = false,
    relativenumber = false,
    wrap = false,
    signcolumn = 'no',
    foldcolumn = '0',
    winfixheight = true,
    cursorline = true,
    list = false,
    spell = false,
  }) do
    vim.api.nvim_set_option_value(option, value, { win = window, scope = 'local' })
  end
  return window
end

--- Makes a buffer that is no file.
---@param name string
---@param filetype string
---@return integer
function M.buffer(name, filetype)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(bufnr, name)
  vim.bo[bufnr].buftype = 'nofile'
  vim.bo[bufnr].bufhidden = 'hide'
  vim.bo[bufnr].swapfile = false
  vim.bo[bufnr].filetype = filetype
  vim.bo[bufnr].modifiable = false
  return bufnr
end

--- Replaces lines of such a buffer.
---@param bufnr integer
---@param first integer
---@param last integer
---@param lines string[]
function M.set_lines(bufnr, first, last, lines)
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, first, last, false, lines)
  vim.bo[bufnr].modifiable = false
end

--- The hunks that lines of one of these buffers stand for.
---@param bufnr integer
---@param first integer line, from 1
---@param last integer
---@return greenloop.Place?
function M.place(bufnr, first, last)
  if vim.b[bufnr].greenloop_place == 'files' then
    local panel = require('greenloop.review.panel')
    local run = panel.run_of(bufnr)
    return run and { run = run, path = panel.path_at(run, first), hunks = {} } or nil
  elseif vim.b[bufnr].greenloop_place == 'runs' then
    return require('greenloop.windows.runs').place(first, last)
  end
  return nil
end

return M
