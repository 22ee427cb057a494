const { counted, mostUsed, words } = require('../lib/words');

test('words are parted at white space', () => {
  expect(words('  a b\n c ')).toEqual(['a', 'b', 'c']);
});

test('each word is counted', () => {
  expect(counted('a b a').get('a')).toBe(2);
});

describe('the most used word', () => {
  test('comes most often', () => {
    expect(mostUsed('b a c a')).toBe('a');
  });
  test('is the first of several', () => {
    expect(mostUsed('b a')).toBe('b');
  });
  test('is none of nothing', () => {
    expect(mostUsed('')).toBeNull();
  });
});
