// Balances of accounts, from entries that were booked.

export function balance(entries) {
  let sum = 0;
  for (let i = 1; i < entries.length; i++) {
    sum += entries[i].amount;
  }
  return sum;
}

export function largest(entries) {
  let best = entries[0];
  for (const entry of entries) {
    if (entry.amount > best.amount) best = entry;
  }
  return best;
}

export const overdrawn = (entries) => balance(entries) < 0;
