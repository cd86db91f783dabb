package har_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzDeduce holds that no recording, however broken, does harm: it is refused, or becomes files that the strict reader takes.
// What is too much for a scenario (a text that is too long, two places over TLS) may be refused by that.
func FuzzDeduce(f *testing.F) {
	for _, name := range []string{"firefox-login", "chromium-hologram-wire", "chromium-channels-wire", "chromium-long-poll-wire", "chromium-pocketbase", "firefox-polls", "firefox-open", "firefox-graphql"} {
		recording, err := os.ReadFile(filepath.Join("testdata", name+".har"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(recording)
	}
	f.Add([]byte(`{"log":{"entries":[{"request":{"method":"GET","url":"http://a/s"},"response":{"status":200,"content":{"mimeType":"text/event-stream","text":"data: ${hi} there\n\n"}}},` +
		`{"request":{"method":"POST","url":"http://a/p","postData":{"mimeType":"text/plain","text":"${hi} there"}},"response":{"status":200}}]}}`))
	f.Fuzz(func(t *testing.T, recording []byte) {
		files, err := convert(t, recording, "fuzzed")
		if err != nil {
			return
		}
		if err := check(t, files, "fuzzed"); err != nil && !strings.Contains(err.Error(), "limit") && !strings.Contains(err.Error(), "two places") {
			t.Errorf("%v\n%s\n---\n%s", err, files.Scenario, files.Protocol)
		}
	})
}
