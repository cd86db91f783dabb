package scenarios

import (
	"bufio"
	"path/filepath"
	"strconv"
	"strings"

	"holobench/internal/draw"
)

// maxSamples bounds the measured amounts of one law: more make it no truer, and each run keeps them in memory.
const maxSamples = 1_000_000

// empirical reads the law that is a file of measured amounts, one a line, as they are written at this place; a line that begins with "#",
// or is empty, says nothing. Each is drawn as often as it stands there.
func (r *resolver) empirical(form *amountForm, m measure, law draw.Law) draw.Law {
	t := &form.Samples
	if !t.usable() {
		return law
	}
	path := t.v
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.file), path)
	}
	file, err := openFeed(path, t.v)
	if err != nil {
		r.addError(t.at, t.path, err)
		return law
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	var values []float64
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		v, err := m.read(text)
		if err == nil && v > m.most {
			err = problem(m.show(v)+" is more than the limit, "+m.show(m.most), "")
		}
		if err == nil && len(values) == maxSamples {
			err = problem("there are more than "+strconv.Itoa(maxSamples)+" amounts", "keep some of them")
		}
		if err != nil {
			r.addError(t.at, t.path+": "+t.v+":"+strconv.Itoa(number), err)
			return law
		}
		values = append(values, v)
	}
	if err := lines.Err(); err != nil {
		r.add(t.at, t.path+": "+quote(t.v)+" is no file of amounts: "+err.Error(), "write one amount a line: 52ms")
		return law
	}
	drawn, err := draw.Empirical(values)
	if err != nil {
		r.add(t.at, t.path+": there is no amount in "+quote(t.v), "write one amount a line: 52ms")
		return law
	}
	return drawn
}
