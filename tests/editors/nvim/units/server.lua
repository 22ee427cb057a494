local config = require('greenloop.config')
local server = require('greenloop.server')
local same = _G.same

--- A folder with a program that would be taken for the server.
local function with_program()
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p')
  local path = vim.fs.joinpath(folder, server.PROGRAM)
  vim.fn.writefile({ '#!/bin/sh', 'echo 0' }, path)
  vim.fn.setfperm(path, 'rwx------')
  return folder, path
end

--- Looks for the server with another PATH, standing in a folder.
local function found(path, folder)
  local before = { vim.env.PATH, vim.env.VIRTUAL_ENV, vim.env.HOME, vim.fn.getcwd() }
  config.set(nil)
  vim.env.PATH, vim.env.VIRTUAL_ENV, vim.env.HOME = path, nil, vim.fn.tempname()
  vim.cmd.cd(folder)
  local command = server.command()
  vim.cmd.cd(before[4])
  vim.env.PATH, vim.env.VIRTUAL_ENV, vim.env.HOME = before[1], before[2], before[3]
  return command
end

return {
  ['a program in an absolute folder of PATH is taken'] = function()
    local folder, path = with_program()
    same(found(folder, '/'), { path })
  end,

  ['a program of the repository is not taken by way of a relative PATH'] = function()
    local folder = with_program()
    same(found('.:', folder), nil)
    same(found('', folder), nil)
  end,
}
