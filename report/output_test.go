package report

import (
	"bytes"
	"os"
	"testing"
)

func TestScratch(t *testing.T) {
	slow := func(due int64, ms float64) float64 {
		if due > 6000*msec && due < 6500*msec {
			return ms * 9
		}
		return ms
	}
	r := busy(slow).report(t)
	var out bytes.Buffer
	if err := r.Console(&out, false); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile("/tmp/e/page.html", page, 0o644)
	s, _ := r.Summary()
	os.WriteFile("/tmp/e/summary.json", s, 0o644)
}
