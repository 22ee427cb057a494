--- The language server's client: how it is configured, started, kept alive and asked.
---
--- On Neovim 0.11 and newer `vim.lsp.enable('greenloop')` starts it with what `config()` gives; on
--- 0.10 an autocommand of `setup()` does the same through `vim.lsp.start`.
local config = require('greenloop.config')
local edits = require('greenloop.edits')
local say = require('greenloop.say')
local server = require('greenloop.server')
local task = require('greenloop.task')

local M = {}

M.NAME = 'greenloop'
M.PROTOCOL = 1

local RESTARTS, WITHIN_S = 3, 180

---@class greenloop.Connection
---@field client vim.lsp.Client
---@field protocol integer
---@field version string

local connection = nil ---@type greenloop.Connection?
local waiting = {} ---@type fun()[] tasks that wait for the server to be ready, or to be gone
local pending = {} ---@type table<table, fun(err: table?, result: any)>
local expected_ends = {} ---@type table<integer, true> ids of clients that were told to stop
local restarted_at = {} ---@type integer[]

--- Whether this is Neovim 0.11 or newer, which has `vim.lsp.config`.
M.has_lsp_config = vim.fn.has('nvim-0.11') == 1

--- The top of the repository that a path lies in.
---@param path string
---@return string?
function M.top_of(path)
  return vim.fs.root(path, '.git')
end

--- The repository of a buffer that the server may be told of; else why it may not.
---@param bufnr integer
---@return string? root
---@return string why
function M.root(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= '' or name == '' or name:match('^%a[%w+.-]+://') then
    return nil, 'this buffer is no file'
  end
  if vim.bo[bufnr].binary then
    return nil, 'this is a binary file'
  end
  local limit = config.get().max_file_bytes
  if vim.api.nvim_buf_get_offset(bufnr, vim.api.nvim_buf_line_count(bufnr)) > limit then
    return nil, ('this file is larger than %d bytes (option max_file_bytes)'):format(limit)
  end
  local root = M.top_of(name)
  return root, root and '' or ('%s is in no git repository'):format(vim.fn.fnamemodify(name, ':~'))
end

---@param client vim.lsp.Client
---@return boolean
local function is_stopped(client)
  return M.has_lsp_config and client:is_stopped() or not M.has_lsp_config and client.is_stopped()
end

--- Sends a notification; the changes of all buffers that wait to be sent go first.
---@param client vim.lsp.Client
---@param method string
---@param params table
local function notify(client, method, params)
  if M.has_lsp_config then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

--- One server serves all repositories: a further one becomes a folder of its workspace.
---@param client vim.lsp.Client
---@param wanted vim.lsp.ClientConfig
---@return boolean
local function reuse(client, wanted)
  if client.name ~= M.NAME or is_stopped(client) then
    return false
  end
  local root = wanted.root_dir
  if type(root) ~= 'string' then
    return true
  end
  local folder = { uri = vim.uri_from_fname(root), name = root }
  for _, known in ipairs(client.workspace_folders or {}) do
    if known.uri == folder.uri then
      return true
    end
  end
  client.workspace_folders = vim.list_extend(client.workspace_folders or {}, { folder })
  if client.initialized then
    local event = { added = { folder }, removed = {} }
    notify(client, 'workspace/didChangeWorkspaceFolders', { event = event })
  end
  return true
end

local function wake()
  local woken = waiting
  waiting = {}
  for _, go_on in ipairs(woken) do
    go_on()
  end
end

---@param client vim.lsp.Client
---@param result lsp.InitializeResult
local function on_init(client, result)
  local protocol = vim.tbl_get(result, 'capabilities', 'experimental', 'greenloop', 'protocol')
  connection = {
    client = client,
    protocol = tonumber(protocol) or 0,
    version = vim.tbl_get(result, 'serverInfo', 'version') or '',
  }
  if connection.protocol ~= M.PROTOCOL then
    local text =
      'the language server speaks protocol %d, this plugin %d; update the older of the two'
    say.warn_once(text:format(connection.protocol, M.PROTOCOL))
  end
  -- Folders that came while the server was starting were not part of its initialize request.
  local root = client.config.root_dir
  for _, folder in ipairs(client.workspace_folders or {}) do
    if type(root) == 'string' and folder.uri ~= vim.uri_from_fname(root) then
      local event = { added = { folder }, removed = {} }
      notify(client, 'workspace/didChangeWorkspaceFolders', { event = event })
    end
  end
  vim.schedule(function()
    wake()
    require('greenloop.runs').connected()
  end)
end

---@param buffers integer[]
local function come_back(buffers)
  local now = os.time()
  restarted_at = vim.tbl_filter(function(at)
    return now - at < WITHIN_S
  end, restarted_at)
  if not config.get().restart or #restarted_at >= RESTARTS then
    say.error('the language server has ended by itself; :Greenloop restart starts it again')
    return
  end
  table.insert(restarted_at, now)
  say.warn('the language server has ended by itself and is started again')
  vim.defer_fn(function()
    for _, bufnr in ipairs(buffers) do
      if vim.api.nvim_buf_is_valid(bufnr) and vim.api.nvim_buf_is_loaded(bufnr) then
        M.attach(bufnr)
      end
    end
  end, 300)
end

---@param code integer
---@param _signal integer
---@param id integer
local function on_exit(code, _signal, id)
  local is_ours = connection ~= nil and connection.client.id == id
  local was_expected = expected_ends[id] or vim.v.exiting ~= vim.NIL
  expected_ends[id] = nil
  local buffers = {} ---@type integer[]
  local client = vim.lsp.get_client_by_id(id)
  for bufnr in pairs(client and client.attached_buffers or {}) do
    table.insert(buffers, bufnr)
  end
  if is_ours then
    connection = nil
  end
  vim.schedule(function()
    local unanswered = pending
    pending = {}
    for _, answer in pairs(unanswered) do
      answer({ message = 'the language server has ended', data = { remedy = '' } })
    end
    wake()
    require('greenloop.runs').disconnected()
    if was_expected then
      return
    end
    if is_ours then
      come_back(buffers)
    else
      local text = 'the language server ended while it started (exit code %d); its words are in %s'
      say.error(text:format(code, vim.fn.fnamemodify(vim.lsp.log.get_filename(), ':~')))
    end
  end)
end

---@param root string?
---@return boolean
local function is_trusted(root)
  local trusted = config.get().trusted
  if type(trusted) == 'function' then
    return trusted(root or vim.fn.getcwd()) and true or false
  end
  return trusted ~= false
end

---@return table<string, lsp.Handler>
local function handlers()
  return {
    ['greenloop/run/changed'] = function(_, line)
      require('greenloop.runs').take(line)
    end,
    ['greenloop/run/log'] = function(_, news)
      require('greenloop.runs').take_log(news.run, news.lines)
    end,
    ['greenloop/proposal/changed'] = function(_, news)
      require('greenloop.review').changed(news.run, news.revision)
    end,
    ['greenloop/tests/changed'] = function(_, news)
      require('greenloop.runs').take_tests(news)
    end,
    ['workspace/applyEdit'] = function(err, params, context)
      return edits.apply(err, params, context)
    end,
  }
end

--- Commands that come with code actions and lenses, carried out here so that refusals read well.
---@return table<string, fun(command: lsp.Command, context: table)>
local function commands()
  local function through(start)
    return function(command)
      require('greenloop.start')[start]((command.arguments or {})[1] or {})
    end
  end
  return {
    ['greenloop.server.start'] = through('send'),
    ['greenloop.server.test'] = through('send_test'),
  }
end

---@param bufnr integer
---@param on_root fun(root: string)
local function root_dir(bufnr, on_root)
  local root = M.root(bufnr)
  if not root then
    return
  end
  local set = M.has_lsp_config and vim.lsp.config[M.NAME]
  if not (set and type(set.cmd) == 'table') and not server.command() then
    say.warn_once(server.missing() .. '. ' .. server.REMEDY)
    return
  end
  on_root(root)
end

--- The settings as JSON has them: an empty table of Lua would become a list.
---@return table
function M.settings()
  local settings = config.get().settings --[[@as table]]
  return next(settings) and settings or vim.empty_dict()
end

--- What `vim.lsp.config('greenloop')` is made of.
---@return vim.lsp.Config
function M.config()
  local options = config.get()
  return {
    name = M.NAME,
    cmd = function(dispatchers)
      local command = server.command()
      if not command then
        error(server.missing() .. '. ' .. server.REMEDY, 0)
      end
      return vim.lsp.rpc.start(command, dispatchers)
    end,
    filetypes = options.filetypes,
    root_dir = root_dir,
    reuse_client = reuse,
    settings = { greenloop = M.settings() },
    -- Failing tests are ordinary diagnostics of the server: they obey vim.diagnostic.config(), and
    -- code actions at them know what they are about. So `tests` is left to the server.
    init_options = {
      settings = M.settings(),
      trusted = true,
      client = { runs = true, review = true, tests = false, progress = true },
    },
    before_init = function(params, own)
      local root = type(own.root_dir) == 'string' and own.root_dir or nil
      params.initializationOptions = params.initializationOptions or vim.empty_dict()
      if not is_trusted(root) then
        params.initializationOptions.trusted = false
      end
    end,
    handlers = handlers(),
    commands = commands(),
    on_init = on_init,
    on_exit = on_exit,
    on_attach = function(_, bufnr)
      require('greenloop.lens').attach(bufnr)
    end,
  }
end

--- The configuration with what the user has added to it.
---@return vim.lsp.Config
local function resolved()
  local wanted = M.has_lsp_config and vim.lsp.config[M.NAME] or nil
  return vim.deepcopy(wanted or M.config())
end

--- Starts the server for a repository, or finds the one that runs; attaches the buffer, if given.
---@param root string?
---@param bufnr integer?
---@return integer? # id of the client
local function launch(root, bufnr)
  local wanted = resolved()
  if type(wanted.cmd) == 'function' and not server.command() then
    task.refuse(server.missing(), server.REMEDY)
  end
  wanted.root_dir = root
  if bufnr then
    return vim.lsp.start(wanted, { bufnr = bufnr, reuse_client = reuse })
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = M.NAME })) do
    if reuse(client, wanted) then
      return client.id
    end
  end
  if M.has_lsp_config then
    return vim.lsp.start(wanted, { attach = false })
  end
  return vim.lsp.start_client(wanted)
end

--- Attaches the server to a buffer of a repository; does nothing for others.
---@param bufnr integer
function M.attach(bufnr)
  local filetypes = config.get().filetypes
  if filetypes and not vim.list_contains(filetypes, vim.bo[bufnr].filetype) then
    return
  end
  root_dir(bufnr, function(root)
    launch(root, bufnr)
  end)
end

--- The server as it answers now, or nil.
---@return greenloop.Connection?
function M.connection()
  if connection and is_stopped(connection.client) then
    return nil
  end
  return connection
end

--- Waits until a server answers that knows the repository of the buffer; refuses where none can.
--- To be called within a task.
---@param bufnr integer?
---@return greenloop.Connection
function M.ensure(bufnr)
  local root, why
  if bufnr then
    root, why = M.root(bufnr)
  end
  if root then
    launch(root, bufnr)
  elseif not M.connection() then
    root = M.top_of(vim.fn.getcwd())
    if not root then
      local said = why and why ~= '' and why .. ', and ' or ''
      task.refuse(
        said .. ('%s is in no git repository'):format(vim.fn.fnamemodify(vim.fn.getcwd(), ':~')),
        'Open a file of a repository, or :cd into one',
        'no_repository'
      )
    end
    launch(root, nil)
  end
  if not M.connection() then
    task.await(function(go_on)
      table.insert(waiting, go_on)
    end)
  end
  local found = M.connection()
  if not found then
    task.refuse('the language server does not start', ':checkhealth greenloop says why')
  end
  return found --[[@as greenloop.Connection]]
end

--- Sends what was typed and not sent yet. Neovim holds changes back for 150 ms.
---@param client vim.lsp.Client
function M.flush(client)
  notify(client, '$/setTrace', { value = 'off' })
end

--- Asks the server and returns its answer; refuses with its words. To be called within a task.
---@param method string
---@param params table
---@param bufnr integer? whose repository it is about
---@return any
function M.call(method, params, bufnr)
  local client = M.ensure(bufnr).client
  M.flush(client)
  local err, result = task.await(function(go_on)
    local ticket = {}
    pending[ticket] = go_on
    local function answer(failure, value)
      if pending[ticket] then
        pending[ticket] = nil
        go_on(failure, value)
      end
    end
    local sent
    if M.has_lsp_config then
      sent = client:request(method, params, answer)
    else
      sent = client.request(method, params, answer)
    end
    if not sent then
      answer({ message = 'the language server has ended', data = {} })
    end
  end)
  if err then
    local data = type(err.data) == 'table' and err.data or {}
    local remedy = type(data.remedy) == 'string' and data.remedy or ''
    task.refuse(err.message or 'the language server refused', remedy, data.kind)
  end
  return result
end

--- Tells the server something, where one runs.
---@param method string
---@param params table
function M.tell(method, params)
  local found = M.connection()
  if found then
    notify(found.client, method, params)
  end
end

--- URI of the buffer's file, or of the current folder: what `folder` of a request means.
---@param bufnr integer
---@return string
function M.folder(bufnr)
  if M.root(bufnr) then
    return vim.uri_from_bufnr(bufnr)
  end
  return vim.uri_from_fname(M.top_of(vim.fn.getcwd()) or vim.fn.getcwd())
end

--- Changes settings of the running server too.
---@param settings greenloop.Settings
function M.set(settings)
  local options = config.get()
  options.settings = vim.tbl_extend('force', options.settings, settings)
  local found = M.connection()
  if found then
    found.client.settings = { greenloop = M.settings() }
    notify(found.client, 'workspace/didChangeConfiguration', { settings = found.client.settings })
  end
end

--- Ends the server and waits until it is gone. To be called within a task.
---@return integer[] # the buffers that were attached
function M.stop()
  local found = connection
  if not found then
    return {}
  end
  local buffers = vim.tbl_keys(found.client.attached_buffers)
  local id = found.client.id
  expected_ends[id] = true
  local function stop(force)
    if M.has_lsp_config then
      found.client:stop(force)
    else
      found.client.stop(force)
    end
  end
  stop(false)
  task.await(function(go_on)
    local tries = 0
    local timer = assert(vim.uv.new_timer())
    timer:start(
      50,
      50,
      vim.schedule_wrap(function()
        tries = tries + 1
        if timer:is_closing() then
          return
        elseif not vim.lsp.get_client_by_id(id) or tries > 200 then
          timer:close()
          go_on()
        elseif tries == 100 then
          stop(true)
        end
      end)
    )
  end)
  return buffers
end

--- Ends the server and starts it again for the same buffers. To be called within a task.
function M.restart()
  local buffers = M.stop()
  restarted_at = {}
  for _, bufnr in ipairs(buffers) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      M.attach(bufnr)
    end
  end
  M.ensure(vim.api.nvim_get_current_buf())
end

return M
