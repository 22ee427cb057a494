--- Lays the server's edits over buffers, and writes those that had no unsaved change before.
local say = require('greenloop.say')

local M = {}

---@param bufnr integer
---@param version any
---@return string? # why the edit does not fit this buffer
local function obstacle(bufnr, version)
  if not vim.api.nvim_buf_is_loaded(bufnr) then
    return nil
  end
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(bufnr), ':~:.')
  if not vim.bo[bufnr].modifiable then
    return name .. " cannot be changed ('nomodifiable')"
  end
  local known = vim.lsp.util.buf_versions[bufnr]
  if type(version) == 'number' and known and known ~= version then
    return name .. ' is newer than the edit'
  end
  return nil
end

--- Answers `workspace/applyEdit` truthfully. Neovim's own handler says `applied` for edits that
--- were made for an older text, and takes no notice of what was typed and not sent yet.
---@param err any
---@param params lsp.ApplyWorkspaceEditParams
---@param context lsp.HandlerContext
---@return lsp.ApplyWorkspaceEditResult
function M.apply(err, params, context)
  local client = assert(vim.lsp.get_client_by_id(context.client_id))
  require('greenloop.client').flush(client)
  for _, change in ipairs(params.edit.documentChanges or {}) do
    local document = change.textDocument
    if document then
      local why = obstacle(vim.uri_to_bufnr(document.uri), document.version)
      if why then
        return { applied = false, failureReason = why }
      end
    end
  end
  local quiet = vim.tbl_extend('force', {}, params)
  quiet.label = nil -- printed by the handler, where it covers what the person reads
  return vim.lsp.handlers['workspace/applyEdit'](err, quiet, context)
end

--- The loaded files without an unsaved change.
---@return table<integer, true>
function M.clean()
  local found = {}
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if
      vim.api.nvim_buf_is_loaded(bufnr)
      and vim.bo[bufnr].buftype == ''
      and not vim.bo[bufnr].modified
    then
      found[bufnr] = true
    end
  end
  return found
end

--- The buffer of a file, if it is loaded.
---@param uri string
---@return integer?
function M.loaded(uri)
  local path = vim.uri_to_fname(uri)
  local real = vim.uv.fs_realpath(path) or path
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) and vim.bo[bufnr].buftype == '' then
      local name = vim.api.nvim_buf_get_name(bufnr)
      if name ~= '' and (name == path or (vim.uv.fs_realpath(name) or name) == real) then
        return bufnr
      end
    end
  end
  return nil
end

--- Writes a changed buffer as `:write` does, its autocommands included.
---@param bufnr integer
---@return boolean
local function write(bufnr)
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(bufnr), ':~:.')
  if vim.bo[bufnr].readonly then
    say.warn(
      name .. " is read-only ('readonly'): changed in its buffer, not written; :w! writes it"
    )
    return false
  end
  local ok, problem = pcall(vim.api.nvim_buf_call, bufnr, function()
    vim.cmd('silent keepalt write')
  end)
  if not ok then
    local why = tostring(problem):gsub('^.-(E%d+:)', '%1')
    say.warn(('%s was changed in its buffer and could not be written: %s'):format(name, why))
  end
  return ok
end

--- Writes what the server changed in buffers that were clean, and reads anew what it wrote itself.
---@param done greenloop.Done[]
---@param clean table<integer, true> as it was before
---@return integer # how many files are changed and not written
function M.settle(done, clean)
  local unsaved = 0
  for _, each in ipairs(done) do
    local bufnr = M.loaded(each.uri)
    if bufnr and each.how == 'disk' then
      vim.cmd('silent! checktime ' .. bufnr)
    elseif bufnr and not each.saved and vim.bo[bufnr].modified then
      if not (each.save and clean[bufnr] and write(bufnr)) then
        unsaved = unsaved + 1
      end
    end
  end
  return unsaved
end

return M
