local commands = require('greenloop.commands')
local start = require('greenloop.start')
local task = require('greenloop.task')
local runs = require('greenloop.runs')
local same, told = _G.same, _G.told

local function complete(line)
  return commands.complete(line:match('%S*$'), line, #line)
end

local function a_run(changes)
  return vim.tbl_extend('force', {
    run = 'r1',
    kind = 'fix',
    folder = 'file:///shop',
    title = 'fix it',
    state = 'running',
    phase = 'search',
    doing = '',
    verdict = '',
    confidence = '',
    message = '',
    startedAt = 1,
    here = true,
    canCancel = true,
    canResume = false,
    canReview = false,
  }, changes)
end

return {
  ['subcommands are completed'] = function()
    same(complete('Greenloop re'), { 'reject', 'reopen', 'restart', 'resume', 'review' })
    same(complete('1,3Greenloop! acc'), { 'accept' })
    same(#complete('Greenloop '), vim.tbl_count(commands.subs))
  end,

  ['runs are completed by what can be done with them'] = function()
    runs.take(a_run({ run = 'running-1' }))
    runs.take(a_run({ run = 'over-1', state = 'finished', canCancel = false, canReview = true }))
    same(complete('Greenloop cancel '), { 'running-1' })
    same(complete('Greenloop review o'), { 'over-1' })
    same(complete('Greenloop log '), { 'running-1', 'over-1' })
  end,

  ['tests that fail are completed without a server'] = function()
    local failing = { id = 'tests/test_a.py::test_b', outcome = 'failed', durationS = 0 }
    local passing = { id = 'tests/test_a.py::test_c', outcome = 'passed', durationS = 0 }
    runs.take_tests({ results = { failing, passing }, whole = true })
    same(complete('Greenloop fix tests/'), { 'tests/test_a.py::test_b' })
    runs.take_tests({ results = {}, whole = true })
    same(complete('Greenloop fix tests/'), {})
  end,

  ['an unknown word is answered with those that there are'] = function()
    commands.run({ fargs = { 'mend' }, bang = false, range = 0, line1 = 1, line2 = 1 })
    same(
      told()[1]:match('^greenloop: there is no :Greenloop mend; there are: accept, cancel') ~= nil,
      true
    )
  end,

  ['settings among the words are told from targets'] = function()
    local settings, rest = start.split({ 'attempts=3', 'tests/test_a.py', 'strategy=model', 'a=b' })
    same(settings, { attempts = 3, strategy = 'model' })
    same(rest, { 'tests/test_a.py', 'a=b' })
  end,

  ['attempts that are no number are refused'] = function()
    task.start(function()
      start.split({ 'attempts=many' })
    end)
    same(told(), { 'greenloop: attempts=many is no number' })
  end,

  ['the innermost test around a line is meant'] = function()
    local function unit(kind, id, first, last)
      local range =
        { start = { line = first, character = 0 }, ['end'] = { line = last, character = 0 } }
      return { kind = kind, id = id, range = range }
    end
    local units = { unit('suite', 'A', 0, 9), unit('test', 'A::b', 2, 4), unit('stub', 'c', 3, 3) }
    local kinds = { test = true, suite = true }
    same(start.unit_at(units, 3, kinds).id, 'A::b')
    same(start.unit_at(units, 7, kinds).id, 'A')
    same(start.unit_at(units, 11, kinds), nil)
  end,

  ['a remedy is said once'] = function()
    same(task.text_of({ message = 'no engine', remedy = 'Start it' }), 'no engine. Start it')
    same(
      task.text_of({ message = 'no engine: Start it', remedy = 'Start it' }),
      'no engine: Start it'
    )
    same(task.text_of({ message = 'no engine.', remedy = '' }), 'no engine.')
  end,
}
