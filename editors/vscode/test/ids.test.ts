import assert from "node:assert/strict";
import { test } from "node:test";

import { fileOf, nameOf, plainId } from "../src/tests/ids";

test("a test's file is what its id begins with", () => {
  assert.equal(fileOf("tests/test_a.py::TestB::test_c[1-x::y]"), "tests/test_a.py");
  assert.equal(fileOf("test/cart.test.js:12"), "test/cart.test.js");
  assert.equal(fileOf("tests/test_a.py"), "tests/test_a.py");
});

test("a parametrised test belongs to its plain one", () => {
  assert.equal(plainId("tests/test_a.py::test_c[1-2]"), "tests/test_a.py::test_c");
  assert.equal(plainId("tests/test_a.py::test_c[a[0]]"), "tests/test_a.py::test_c");
  assert.equal(plainId("tests/test_a.py::test_c"), undefined);
  assert.equal(plainId("app/[id]/page.test.js:3"), undefined);
});

test("the name is the last part", () => {
  assert.equal(nameOf("tests/test_a.py::TestB::test_c"), "test_c");
  assert.equal(nameOf("tests/test_a.py::test_c[1-2]"), "[1-2]");
  assert.equal(nameOf("tests/test_a.py"), "tests/test_a.py");
});
