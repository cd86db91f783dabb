package http1

import (
	"bytes"
	"errors"
	"fmt"
	"math"
)

var errChunkEnd = errors.New("reading an HTTP response: a chunk is longer than the size that it states")

// chunkSize reads the size of a chunk, in bytes, from the line that opens it; extensions are passed over.
func chunkSize(line []byte) (size int64, err error) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 {
		return 0, errors.New("reading an HTTP response: a chunk without a size")
	}
	for _, c := range digits {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, fmt.Errorf("reading an HTTP response: the size of a chunk is %q, not a hexadecimal number", shorten(digits))
		}
		if size > (math.MaxInt64-digit)/16 {
			return 0, fmt.Errorf("reading an HTTP response: the size of a chunk, %q, is out of range", shorten(digits))
		}
		size = size*16 + digit
	}
	return size, nil
}

// hexDigit is the value of c; -1 when it is no hexadecimal digit.
func hexDigit(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return -1
}
