// Where two tabs disagree about the order of events.
//
// An order is a list of entries. An entry with an id is the first sight of that event; one without (a note, such as a gap) has
// a place to be shown at, and no part in the comparison.

// compare lays the orders of two tabs side by side:
//
//   common     how many events both have seen
//   divergent  how many pairs of those the two saw in different orders
//   partners   id -> with how many other events this one makes such a pair
//   pairs      the first few of those pairs, nearest first, as [id, id] in the order of mine
//   rows       [entry of mine or null, entry of theirs or null], each side in its own order
//
// It costs O(n log n) for n events, and O(n * n) where there is hardly any agreement and the few pairs are far apart.
export function compare(mine, theirs, fewPairs = 10) {
  const there = new Map();
  for (const entry of theirs) {
    if (entry.id) there.set(entry.id, there.size);
  }
  const common = mine.filter((entry) => entry.id && there.has(entry.id)).map((entry) => entry.id);
  const places = common.map((id) => there.get(id));
  const counts = inverted(places, there.size);
  const partners = new Map();
  common.forEach((id, i) => {
    if (counts[i] > 0) partners.set(id, counts[i]);
  });
  const divergent = counts.reduce((sum, n) => sum + n, 0) / 2;
  const agreed = new Set(common.filter((id) => !partners.has(id)));
  return {
    common: common.length,
    divergent,
    partners,
    pairs: nearestPairs(common, places, Math.min(fewPairs, divergent)),
    rows: align(mine, theirs, agreed),
    seenByBoth: new Set(common),
  };
}

// inverted returns for each place how many others stand on the wrong side of it: greater ones before it, smaller ones behind.
function inverted(places, size) {
  const counts = new Array(places.length).fill(0);
  let before = new Array(size + 1).fill(0); // a Fenwick tree: how many of those places were met
  const met = (place) => {
    let sum = 0;
    for (let i = place; i > 0; i -= i & -i) sum += before[i];
    return sum; // of the places below
  };
  const meet = (place) => {
    for (let i = place + 1; i <= size; i += i & -i) before[i]++;
  };
  places.forEach((place, i) => {
    counts[i] += i - met(place);
    meet(place);
  });
  before = new Array(size + 1).fill(0);
  for (let i = places.length - 1; i >= 0; i--) {
    counts[i] += met(places[i]);
    meet(places[i]);
  }
  return counts;
}

// nearestPairs returns at most limit divergent pairs, those first whose events are close together in the order of mine.
function nearestPairs(common, places, limit) {
  const pairs = [];
  for (let apart = 1; apart < common.length && pairs.length < limit; apart++) {
    for (let i = 0; i + apart < common.length && pairs.length < limit; i++) {
      if (places[i] > places[i + apart]) pairs.push([common[i], common[i + apart]]);
    }
  }
  return pairs;
}

// align makes rows. An event on whose place both agree with regard to every other one stands on one line; what lies between
// two of those is laid side by side as it comes.
function align(mine, theirs, agreed) {
  const rows = [];
  let i = 0;
  let j = 0;
  while (i < mine.length || j < theirs.length) {
    const mineStops = i >= mine.length || agreed.has(mine[i].id);
    const theirsStops = j >= theirs.length || agreed.has(theirs[j].id);
    if (mineStops && theirsStops) {
      rows.push([mine[i++] ?? null, theirs[j++] ?? null]);
    } else {
      rows.push([mineStops ? null : mine[i++], theirsStops ? null : theirs[j++]]);
    }
  }
  return rows;
}
