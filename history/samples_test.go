package history

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	dir := testRun(t)
	out, err := NewSampleWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Sample{
		{At: -1, Source: "generator", Name: "cpu_share", Value: 0.1},
		{At: 1<<63 - 1, Source: `a "b", c`, Name: "x", Value: math.Inf(1)},
		{Source: "node-1", Name: "", Value: -math.MaxFloat64},
	}
	for _, sample := range want[:2] {
		if err := out.Write(sample); err != nil {
			t.Fatal(err)
		}
		// Flushed at every call: a reader sees it while the file is open.
		if got, err := ReadSamples(dir.Path); err != nil || got[len(got)-1] != sample {
			t.Fatalf("after Write(%v): %v, %v", sample, got, err)
		}
	}
	if err := out.Write(want[2], Sample{Source: "two\nlines\r", Name: "\n"}); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	want = append(want, Sample{Source: "two lines ", Name: " "})
	got, err := openRun(t, dir).Samples()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v, %v\nwant %v", got, err, want)
	}
	if _, err := NewSampleWriter(dir); err == nil {
		t.Error("samples.csv was opened a second time")
	}
	if err := out.Write(Sample{}); err == nil || !strings.HasPrefix(err.Error(), "record samples: ") {
		t.Errorf("Write after Close: %v", err)
	}
	memory := new(Memory)
	if err := memory.Write(want...); err != nil {
		t.Fatal(err)
	}
	if got, err := memory.History(Run{}, nil).Samples(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from memory: %v, %v", got, err)
	}
}

func TestReadSamples(t *testing.T) {
	t.Parallel()
	const header = "at_ns,source,name,value\n"
	for _, c := range []struct {
		name, content string
		want          []Sample
		err           string
	}{
		{"no file", "", nil, ""},
		{"header only", header, nil, ""},
		{"half a header", "at_ns,so", nil, ""},
		{"torn last line", header + "1,g,n,2\n2,g,n,4", []Sample{{At: 1, Source: "g", Name: "n", Value: 2}}, ""},
		{"torn in a quote", header + "1,g,n,2\n2,\"g", []Sample{{At: 1, Source: "g", Name: "n", Value: 2}}, ""},
		{"no header", "1,g,n,2\n", nil, `read samples FILE: line 1: want the header "at_ns,source,name,value"`},
		{"bad time", header + "x,g,n,2\n", nil, `read samples FILE: line 2: at_ns: strconv.ParseInt: parsing "x": invalid syntax`},
		{"bad value", header + "1,g,n,2\n1,g,n,\n", nil, `read samples FILE: line 3: value: strconv.ParseFloat: parsing "": invalid syntax`},
		{"bad line", header + "1,g\n1,g,n,2\n", nil, "read samples FILE: record on line 2: wrong number of fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "samples.csv")
			if c.content != "" {
				if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := ReadSamples(dir)
			text := ""
			if err != nil {
				text = strings.ReplaceAll(err.Error(), file, "FILE")
			}
			if text != c.err || len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v, %q\nwant %v, %q", got, text, c.want, c.err)
			}
		})
	}
}
