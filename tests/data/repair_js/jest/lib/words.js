// Words of a text, and how often each comes.

const SEPARATOR = /\s+/;

function words(text) {
  return text.trim().split(SEPARATOR).filter((word) => word.length > 0);
}

function counted(text) {
  const counts = new Map();
  for (const word of words(text)) {
    counts.set(word, (counts.get(word) || 0) + 1);
  }
  return counts;
}

function mostUsed(text) {
  let best = null;
  let most = 0;
  for (const [word, count] of counted(text)) {
    if (count < most) {
      best = word;
      most = count;
    }
  }
  return best;
}

module.exports = { words, counted, mostUsed };
