package http1_test

import (
	"testing"

	"holobench/wire/http1"
)

// TestParserTellsFields holds that the fields of the final head come as they were sent, wherever the bytes were cut, and those of
// interim responses and trailers do not.
func TestParserTellsFields(t *testing.T) {
	t.Parallel()
	input := "HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n" +
		"HTTP/1.1 409 Conflict\r\nETag:  \"v7\" \r\netag: again\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: late\r\n\r\n"
	want := `ETag="v7";etag=again;X-Empty=;Transfer-Encoding=chunked;`
	for cut := range len(input) {
		var n notes
		got := ""
		p := http1.Parser{Field: func(name, value []byte) { got += string(name) + "=" + string(value) + ";" }}
		for range 2 { // Reset keeps the function
			got = ""
			for _, piece := range []string{input[:cut], input[cut:]} {
				if _, err := p.Feed([]byte(piece), &n); err != nil {
					t.Fatal(err)
				}
			}
			if got != want {
				t.Fatalf("cut at %d: %s, want %s", cut, got, want)
			}
			p.Reset()
		}
	}
}
