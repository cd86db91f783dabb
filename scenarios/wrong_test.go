package scenarios

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Each file of testdata/wrong has one mistake that people make, and beside it stands what they are told. The golden file is the whole error:
// place, excerpt and remedy. To add a mistake, write NAME.yaml and run make golden; then read what it says as if it were yours.
func TestWrongFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d wrong files: %v", len(paths), err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(path), ".yaml")] = string(text)
	}
	maps.Copy(texts, hugeFiles())
	for name, text := range texts {
		t.Run(name, func(t *testing.T) { // one after the other: what one of them allocates is measured
			got := measured(t, name+".yaml", text)
			golden := filepath.Join("testdata/wrong", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

const (
	maxTook      = time.Second
	maxAllocated = 200 << 20
)

// measured returns the error of a file, and holds what it costs to find it.
func measured(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte("name\nanna\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var err error
	took, allocated := time.Duration(math.MaxInt64), uint64(math.MaxUint64)
	for range 3 { // the machine has other work too
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err = Read(path, nil)
		took = min(took, time.Since(began))
		runtime.ReadMemStats(&after)
		if allocated = min(allocated, after.TotalAlloc-before.TotalAlloc); took <= maxTook && allocated <= maxAllocated {
			break
		}
	}
	if allocated > maxAllocated {
		t.Errorf("it allocated %d MB", allocated>>20)
	}
	if took > maxTook*slowness {
		t.Errorf("it took %v", took)
	}
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, e := range errorsOf(t, err) {
		if e.Remedy == "" {
			t.Errorf("%s has no remedy", e.Message)
		}
	}
	text = strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), "") + "\n"
	return growing.ReplaceAllString(text, "$1 ...")
}

// growing are the lists in remedies that a new key, word or metric makes longer.
var growing = regexp.MustCompile(`((?:the|its) (?:keys here|keys|metrics) are|by one of|(?:it is|write|done:) one of) [^;\n]*`)

// hugeFiles are those that are too big to be kept.
func hugeFiles() map[string]string {
	const who = "version: 1\nclients: {members: {count: 10, channel: lobby}}\nload: {talk: {by: members, rate: 5/s, for: 10s}}\n"
	return map[string]string{
		"ten-megabytes": who + strings.Repeat("# nothing but a comment\n", 10<<20/24),
		"just-too-long": who + strings.Repeat("#", maxFileBytes),
		"binary":        who + strings.Repeat("\x00\xff", 1000),
		"many-aliases":  who + "a: &a 1\n" + strings.Repeat("b: *a\n", maxAliases+1),
		"many-keys":     who + strings.Repeat("k: 1\n", maxKeys+1),
		"deep-brackets": who + "seed: " + strings.Repeat("[", 100_000) + "\n",
		"deep-indents":  who + stairs(700),
		"many-windows":  who + manyWindows(),
	}
}

// manyWindows is one window more than there may be.
func manyWindows() string {
	var b strings.Builder
	b.WriteString("windows:\n")
	for i := range maxWindows + 1 {
		b.WriteString("  w" + strconv.Itoa(i) + ": 0s..1s\n")
	}
	return b.String()
}

// What is wrong with a file because of an unknown key is wrong by the schema too.
func TestSchemaRefusesUnknownKeys(t *testing.T) {
	t.Parallel()
	d := scenarioDialect()
	s := d.compiled(t)
	paths, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(path, text, nil)
		root := parseYAML(string(text), new(faults))
		bomb := strings.Contains(string(text), "*i") // written out it would be 9^9 values
		if err == nil || bomb || !strings.Contains(err.Error(), ": unknown key ") || root == nil {
			continue
		}
		found++
		if s.Validate(plain(root)) == nil {
			t.Errorf("the schema takes %s: %v", path, err)
		}
	}
	if found < 5 {
		t.Errorf("%d files with unknown keys", found)
	}
}
