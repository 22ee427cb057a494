--- Buffers of the texts that a review compares: `greenloop-base:` to be read, `greenloop-proposal:`
--- to be edited, whose `:write` goes to the server. Files of the user are not touched here.
local client = require('greenloop.client')
local say = require('greenloop.say')
local task = require('greenloop.task')

local M = {}

---@class greenloop.TextBuffer
---@field run string
---@field path string
---@field side 'proposal'|'base'
---@field sent string the text as the server has it
---@field revision integer

---@type table<integer, greenloop.TextBuffer>
local buffers = {}

local ANSWER_MS = 20000

---@param bufnr integer
---@return greenloop.TextBuffer?
function M.of(bufnr)
  return buffers[bufnr]
end

--- Splits a text into lines, and says how a buffer has to be set so that it gives back every byte.
---@param text string
---@return string[] lines
---@return { fileformat: string, bomb: boolean, endofline: boolean }
function M.to_lines(text)
  local has_bom = text:sub(1, 3) == '\239\187\191'
  local body = has_bom and text:sub(4) or text
  local _, breaks = body:gsub('\n', '')
  local _, dos_breaks = body:gsub('\r\n', '')
  local is_dos = breaks > 0 and breaks == dos_breaks
  local lines = vim.split(body, is_dos and '\r\n' or '\n', { plain = true })
  local ends_whole = #lines > 1 and lines[#lines] == ''
  if ends_whole then
    lines[#lines] = nil
  end
  local options =
    { fileformat = is_dos and 'dos' or 'unix', bomb = has_bom, endofline = ends_whole }
  return lines, options
end

--- The text of a buffer, byte for byte.
---@param bufnr integer
---@return string
function M.to_text(bufnr)
  local options = vim.bo[bufnr]
  local line_end = options.fileformat == 'dos' and '\r\n' or '\n'
  local lines = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  if #lines == 1 and lines[1] == '' and not options.endofline then
    return options.bomb and '\239\187\191' or ''
  end
  local text = table.concat(lines, line_end) .. (options.endofline and line_end or '')
  return (options.bomb and '\239\187\191' or '') .. text
end

---@param bufnr integer
---@param text string
local function fill(bufnr, text)
  local lines, options = M.to_lines(text)
  local views = {} ---@type table<integer, vim.fn.winsaveview.ret>
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    views[window] = vim.api.nvim_win_call(window, vim.fn.winsaveview)
  end
  local side = vim.bo[bufnr]
  side.modifiable = true
  side.fixendofline = false
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  side.fileformat = options.fileformat
  side.bomb = options.bomb
  side.endofline = options.endofline
  side.modified = false
  side.modifiable = buffers[bufnr].side == 'proposal'
  for window, view in pairs(views) do
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview(view)
    end)
  end
end

---@param bufnr integer
local function write(bufnr)
  local of = buffers[bufnr]
  local text = M.to_text(bufnr)
  if text == of.sent then
    vim.bo[bufnr].modified = false
    return
  end
  local before = of.sent
  task.finish(function()
    of.sent = text
    vim.bo[bufnr].modified = false -- so that what the server makes of it may be shown
    local ok, failure = pcall(require('greenloop.review').edit, of.run, of.path, text)
    if not ok then
      of.sent = before
      vim.bo[bufnr].modified = true
      error(failure, 0)
    end
    say.info(of.path .. ': the proposal is changed; :Greenloop check measures it')
  end, ANSWER_MS)
end

--- Makes the buffer of a text, or finds it; empty until `load` has filled it.
---@param file greenloop.ProposalFile
---@param run string
---@param side 'proposal'|'base'
---@return integer
function M.open(file, run, side)
  local name = side == 'proposal' and file.proposedUri or file.baseUri
  for bufnr, of in pairs(buffers) do
    if
      of.run == run
      and of.path == file.path
      and of.side == side
      and vim.api.nvim_buf_is_valid(bufnr)
    then
      return bufnr
    end
  end
  local bufnr = vim.api.nvim_create_buf(false, false)
  buffers[bufnr] = { run = run, path = file.path, side = side, sent = '', revision = -1 }
  vim.bo[bufnr].buftype = side == 'proposal' and 'acwrite' or 'nofile'
  vim.bo[bufnr].swapfile = false
  vim.bo[bufnr].bufhidden = 'hide'
  vim.api.nvim_buf_set_name(bufnr, name)
  vim.b[bufnr].greenloop_run = run
  vim.b[bufnr].greenloop_path = file.path
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = bufnr,
    desc = 'Greenloop: send the proposal',
    callback = function()
      write(bufnr)
    end,
  })
  vim.api.nvim_create_autocmd('BufReadCmd', {
    buffer = bufnr,
    desc = 'Greenloop: fetch the text anew',
    callback = function()
      task.start(function()
        M.load(bufnr, name, -1)
      end)
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = bufnr,
    desc = 'Greenloop: forget the text',
    callback = function()
      buffers[bufnr] = nil
    end,
  })
  local filetype = vim.filetype.match({ filename = file.path })
  if filetype then
    -- Highlighting only: 'filetype' would start other language servers and formatters on it.
    vim.bo[bufnr].syntax = filetype
    if
      not pcall(vim.treesitter.start, bufnr, vim.treesitter.language.get_lang(filetype) or filetype)
    then
      vim.bo[bufnr].syntax = filetype
    end
  end
  return bufnr
end

--- Fetches the text of a buffer; what was typed into it is never overwritten. Within a task.
---@param bufnr integer
---@param uri string
---@param revision integer of the proposal; -1: in any case
function M.load(bufnr, uri, revision)
  local of = buffers[bufnr]
  if not of or (revision >= 0 and of.revision == revision) then
    return
  end
  local answer = client.call('greenloop/content', { uri = uri })
  if not vim.api.nvim_buf_is_valid(bufnr) or not buffers[bufnr] then
    return
  end
  of.revision = revision
  local text = answer.binary and 'A binary file: it is accepted or rejected as a whole.\n'
    or answer.text
  if vim.bo[bufnr].modified and revision >= 0 then
    if text ~= of.sent then
      say.warn(of.path .. ': the proposal has changed; :w sends yours, :e! shows the newer one')
    end
    return
  end
  if text ~= M.to_text(bufnr) then
    fill(bufnr, text)
  end
  of.sent = text
  if answer.binary then
    vim.bo[bufnr].modifiable = false
  end
end

--- Wipes the buffers of a run, unless something typed into them would be lost.
---@param run string
function M.close(run)
  for bufnr, of in pairs(buffers) do
    if of.run == run and vim.api.nvim_buf_is_valid(bufnr) then
      if vim.bo[bufnr].modified then
        vim.bo[bufnr].buflisted = true
        say.warn(of.path .. ': the proposal has unsent changes and stays in the list of buffers')
      else
        vim.api.nvim_buf_delete(bufnr, { force = true })
      end
    end
  end
end

return M
