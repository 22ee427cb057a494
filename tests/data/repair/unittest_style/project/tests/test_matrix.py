import unittest

from matrix import add, transpose


class TransposeTest(unittest.TestCase):
    def setUp(self):
        self.square = [[1, 2], [3, 4]]

    def test_square(self):
        self.assertEqual(transpose(self.square), [[1, 3], [2, 4]])

    def test_rows_become_columns(self):
        for rows in ([[1, 2, 3], [4, 5, 6]], [[1], [2]]):
            with self.subTest(rows=rows):
                self.assertEqual(transpose(transpose(rows)), rows)

    def test_empty(self):
        self.assertEqual(transpose([]), [])


class AddTest(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add([[1]], [[2]]), [[3]])
