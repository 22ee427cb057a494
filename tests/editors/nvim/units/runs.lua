local runs = require('greenloop.runs')
local tree = require('greenloop.windows.tree')
local log = require('greenloop.windows.log')
local list = require('greenloop.review.list')
local review = require('greenloop.review')
local tab = require('greenloop.review.tab')
local panel = require('greenloop.review.panel')
local same, told = _G.same, _G.told

local function a_run(changes)
  return vim.tbl_extend('force', {
    run = 'r1',
    kind = 'fix',
    folder = 'file:///shop',
    title = 'fix it',
    state = 'running',
    phase = 'search',
    doing = 'candidate 3',
    verdict = '',
    confidence = '',
    message = '',
    startedAt = 100,
    here = true,
    canCancel = true,
    canResume = false,
    canReview = false,
  }, changes)
end

local function a_hunk(changes)
  return vim.tbl_extend('force', {
    id = 'h1',
    kind = 'lines',
    state = 'open',
    base = { line = 4, count = 1 },
    proposed = { line = 4, count = 2 },
    now = { line = 6, count = 1 },
    old = 'a\n',
    new = 'b\nc\n',
    neededFor = { 'tests/test_a.py::test_b', 'tests/test_a.py::test_c' },
    ownTest = false,
  }, changes)
end

local function a_proposal(hunks)
  return {
    run = 'r1',
    title = 'fix it',
    revision = 1,
    confidence = 'plausible',
    check = { state = 'measured', verdict = 'green', message = '', receipt = '' },
    files = {
      {
        path = 'shop/a.py',
        uri = 'file:///shop/shop/a.py',
        change = 'modified',
        binary = false,
        edited = false,
        hunks = hunks,
      },
    },
    canUndo = false,
  }
end

return {
  ['the end of a run that was seen going on is told once'] = function()
    runs.take(a_run({}))
    local over = a_run({
      state = 'finished',
      verdict = 'green',
      message = 'green, likely',
      canReview = true,
    })
    runs.take(over)
    runs.take(over)
    same(told(), { 'greenloop: fix it: green, likely (:Greenloop review)' })
  end,

  ['a run of the past is no news'] = function()
    runs.take(a_run({ run = 'old', state = 'finished', verdict = 'green' }))
    same(told(), {})
  end,

  ['what goes on is summed up for a statusline'] = function()
    runs.take(a_run({ run = 'a', percent = 41.7 }))
    same(runs.summary():match('^search 41%%') ~= nil, true)
    runs.take(a_run({ run = 'b', state = 'waiting' }))
    runs.take(a_run({ run = 'c', phase = 'gate' }))
    same(runs.summary():match('^2 runs, 1 waiting') ~= nil, true)
  end,

  ['runs of a server that is gone are interrupted'] = function()
    runs.take(a_run({ run = 'lost' }))
    runs.disconnected()
    same({ runs.get('lost').state, runs.get('lost').canCancel }, { 'interrupted', false })
  end,

  ['a run is a line with its state, what it does and how long'] = function()
    local node = tree.run_node(a_run({ percent = 40 }), false, 165)
    same(node.text, '▸ search 40%         fix it  · candidate 3  1m05s')
    local over = tree.run_node(
      a_run({
        state = 'finished',
        verdict = 'green',
        confidence = 'likely',
        endedAt = 112,
        hunks = { open = 1, accepted = 2, rejected = 0 },
      }),
      true,
      999
    )
    same(over.text, '▾ green likely       fix it  [1 open, 2 accepted]  12s')
    same(over.group, 'GreenloopAccepted')
  end,

  ['a hunk says its state, its size and what it is needed for'] = function()
    local proposal = a_proposal({ a_hunk({}) })
    local file = proposal.files[1]
    same(review.hunk_text(file, file.hunks[1]), 'open · +2 -1 · needed for test_b and 1 more')
    local own = a_hunk({ state = 'rejected', neededFor = {}, ownTest = true, conflict = 'newer' })
    same(review.hunk_text(file, own), 'rejected · +2 -1 · adds a test · conflict: newer')
  end,

  ['quickfix entries stand where the hunk is now'] = function()
    local entries = list.entries(a_proposal({ a_hunk({}), a_hunk({ id = 'h2', now = vim.NIL }) }))
    same({ entries[1].lnum, entries[1].filename, entries[2].lnum }, { 7, '/shop/shop/a.py', 5 })
    same(entries[1].user_data.greenloop, { run = 'r1', path = 'shop/a.py', hunk = 'h1' })
  end,

  ['the line above a proposal counts and says what was measured'] = function()
    local proposal = a_proposal({ a_hunk({}), a_hunk({ id = 'h2', state = 'rejected' }) })
    same(
      tab.bar(proposal),
      ' proposal: %#GreenloopAccepted#green%*  1 open, 1 rejected, plausible%<'
    )
    proposal.check = { state = 'failed', verdict = '', message = '100% lost', receipt = '' }
    same(tab.bar(proposal):match('%%#GreenloopWarn#not measured: 100%%%% lost') ~= nil, true)
  end,

  ['the list of files says what is left in each'] = function()
    local proposal = a_proposal({ a_hunk({}), a_hunk({ id = 'h2', state = 'accepted' }) })
    same(panel.lines(proposal), { 'M shop/a.py', '  1 open, 1 accepted' })
  end,

  ['a line of a log has the diff of its edit beneath it'] = function()
    local texts, groups = log.texts({
      number = 0,
      at = 0,
      kind = 'tool',
      text = 'str_replace',
      diff = '@@ -1 +1 @@\n-a\n+b\n',
    })
    same(#texts, 4)
    same(texts[1]:match('tool%s+str_replace$') ~= nil, true)
    same({ groups[3], groups[4] }, { 'GreenloopDelete', 'GreenloopAdd' })
  end,

  ['a gap in a log is no line of it'] = function()
    runs.take_log('nobody asked', { { number = 7, at = 0, kind = 'phase', text = 'late' } })
    same(runs.log('nobody asked'), {})
  end,
}
