package draw

// gamma is the odd number next to 2^64 divided by the golden ratio: it keeps a chain of zeros from staying zero.
const gamma = 0x9e3779b97f4a7c15

// delta sets keys apart from seeds: without it a key that equals the seed would undo it.
const delta = 0xd1b54a32d192ed03

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, with Stafford's constants): a bijection in which
// every bit of x moves about half of the bits of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Hash is a number that looks drawn, and is always the same for the same seed and keys. Their order matters.
func Hash(seed uint64, keys ...uint64) uint64 {
	h := mix(seed + gamma)
	for _, key := range keys {
		h = mix((h ^ mix(key+delta)) + gamma)
	}
	return h
}

// Unit is Hash as a number between 0 and 1, neither of which it ever is; it takes 2^52 values, each as likely.
func Unit(seed uint64, keys ...uint64) float64 {
	return (float64(Hash(seed, keys...)>>12) + 0.5) / (1 << 52)
}

// Name makes a key of a text, for Hash and Unit (FNV-1a, and mixed).
func Name(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return mix(h + gamma)
}
