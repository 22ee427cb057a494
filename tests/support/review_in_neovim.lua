-- Accepts the whole proposal of a stored run in plain Neovim, saves, undoes, saves again.
-- Arguments by the environment: COMMAND (JSON list), RUN, FILES (JSON list), TYPED (a
-- file that is typed in at a bad moment, or empty), OUT.

vim.o.fixeol = false -- else saving by itself adds what a file's last line lacks

local files = vim.json.decode(vim.env.FILES)
local out = {}

local function wait(what, matches)
  if not vim.wait(60000, matches, 20) then
    error("did not come: " .. what)
  end
end

local client_id
for _, file in ipairs(files) do
  vim.cmd.edit(vim.fn.fnameescape(file))
  client_id = vim.lsp.start({
    name = "greenloop",
    cmd = vim.json.decode(vim.env.COMMAND),
    root_dir = vim.fn.getcwd(),
  })
end
local client = assert(vim.lsp.get_client_by_id(client_id))
wait("the server", function()
  return client.initialized
end)

-- Somebody types in this file when its edit has come, and before it is looked at.
local apply = vim.lsp.handlers["workspace/applyEdit"]
vim.lsp.handlers["workspace/applyEdit"] = function(err, edit, ...)
  local change = edit.edit.documentChanges[1]
  local typed = vim.env.TYPED or ""
  if typed ~= "" and vim.endswith(change.textDocument.uri, typed) then
    vim.env.TYPED = ""
    vim.api.nvim_buf_set_lines(vim.uri_to_bufnr(change.textDocument.uri), 0, 0, true, { "typed" })
  end
  return apply(err, edit, ...)
end

local function run(command, params)
  local answer
  local request = { command = "greenloop.server." .. command, arguments = { params } }
  local handler = function(err, result)
    answer = err and { error = err.message } or result
  end
  if vim.fn.has("nvim-0.11") == 1 then
    client:request("workspace/executeCommand", request, handler, 0)
  else
    client.request("workspace/executeCommand", request, handler, 0)
  end
  wait(command, function()
    return answer ~= nil
  end)
  return answer
end

local function save_all()
  for _, file in ipairs(files) do
    vim.cmd.buffer(vim.fn.fnameescape(file))
    vim.cmd("silent update")
  end
end

local function finish()
  out.accepted = run("decide", { run = vim.env.RUN, decision = "accept" })
  save_all()
  out.saved = {}
  for _, file in ipairs(files) do
    out.saved[file] = vim.fn.system({ "base64", "-w0", file })
  end
  out.undone = run("undo", { run = vim.env.RUN })
  save_all()
end

local ok, err = pcall(finish)
out.error = not ok and tostring(err) or nil
local handle = assert(io.open(vim.env.OUT, "w"))
handle:write(vim.json.encode(out))
handle:close()
vim.cmd("qa!")
