package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// RunVersion is the layout of a run directory that this package writes and reads.
const RunVersion = 1

// What stands in a run directory.
const (
	runFile     = "run.json"
	samplesFile = "samples.csv"
	segmentsDir = "segments"
	latestLink  = "latest"
)

// Dir is the directory of one run. Path is all its state: Dir{Path: p} is the directory of a run that exists already.
type Dir struct {
	Path string // as the user wrote it or as Create made it, relative when root was

	// Unlinked says why <root>/latest could not be made to point here; nil when it does, or when nobody asked for it.
	// It is a warning: the run goes on without the link.
	Unlinked error
}

// Create makes <root>/<UTC time>-<name>/, for example holobench-runs/20261231T235959Z-demo/, and points <root>/latest at
// it. Of name only ASCII letters, digits and dashes are kept. A second run of the same second gets the suffix -2, and so on.
func Create(root, name string, started time.Time) (*Dir, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("create a run directory: %w", err)
	}
	base := started.UTC().Format("20060102T150405Z") + "-" + safeName(name)
	dir := &Dir{Path: filepath.Join(root, base)}
	for n := 2; ; n++ {
		err := os.Mkdir(dir.Path, 0o755)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("create a run directory: %w", err)
		}
		dir.Path = filepath.Join(root, base+"-"+strconv.Itoa(n))
	}
	if err := dir.makeSegments(); err != nil {
		return nil, err
	}
	dir.Unlinked = link(root, filepath.Base(dir.Path))
	return dir, nil
}

// CreateAt makes path the directory of a run. It must not exist yet or be empty, so that the rows of two runs never mix.
// No link is made.
func CreateAt(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("create run directory %s: %w", path, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("create run directory %s: %w", path, err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("create run directory %s: it is not empty: it holds %s (name a new directory, or empty this one)",
			path, entries[0].Name())
	}
	dir := &Dir{Path: path}
	return dir, dir.makeSegments()
}

// File is the path of a file of this run.
func (d *Dir) File(name string) string {
	return filepath.Join(d.Path, name)
}

// WriteRun writes run.json, or replaces it: a reader sees the old one or the new one, never a part. It stands for layout
// RunVersion, whatever run.Version says.
func (d *Dir) WriteRun(run Run) error {
	run.Version = RunVersion
	data, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", d.File(runFile), err)
	}
	return d.WriteFile(runFile, append(data, '\n'))
}

// WriteFile writes a file of the run as a whole: a reader sees the old content or the new one, never a part, also when the
// machine fails in the middle. On an error nothing is left behind.
func (d *Dir) WriteFile(name string, data []byte) error {
	path := d.File(name)
	if err := writeWhole(path, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// ReadRun reads run.json of the directory path.
func ReadRun(path string) (Run, error) {
	file := filepath.Join(path, runFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("read run %s: not a run directory: there is no %s in it "+
			"(give the directory that the run printed, or holobench-runs/%s): %w", path, runFile, latestLink, err)
	}
	if err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", path, err)
	}
	var run Run
	if err := json.Unmarshal(data, &run); err != nil {
		return Run{}, fmt.Errorf("read run %s: %s is damaged: %w", path, runFile, err)
	}
	if run.Version < 1 || run.Version > RunVersion {
		return Run{}, fmt.Errorf("read run %s: %s has layout %d, this holobench reads layout %d "+
			"(use the version that made the run: %q)", path, runFile, run.Version, RunVersion, run.Software.Holobench)
	}
	return run, nil
}

func (d *Dir) makeSegments() error {
	if err := os.Mkdir(d.File(segmentsDir), 0o755); err != nil {
		return fmt.Errorf("create run directory %s: %w", d.Path, err)
	}
	return nil
}

// link points root/latest at target. The new link is made beside the old one and renamed over it, so that latest always
// points at a run.
func link(root, target string) error {
	fresh := filepath.Join(root, ".latest-"+target)
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, filepath.Join(root, latestLink)); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}

// writeWhole writes data beside path and renames it over path.
func writeWhole(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(data)
	// CreateTemp makes files for the owner only; those of a run are for everybody who may enter its directory.
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// safeName keeps ASCII letters, digits and dashes of name and makes one dash of each run of anything else.
func safeName(name string) string {
	const maxLen = 60
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= maxLen {
			break
		}
	}
	if safe := strings.Trim(b.String(), "-"); safe != "" {
		return safe
	}
	return "run"
}
