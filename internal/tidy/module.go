package tidy

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is a Go module as the rules see it: parsed, not type-checked, and with its documents.
type module struct {
	path   string // as in go.mod
	fset   *token.FileSet
	files  []*source         // Go files in the order of their paths
	texts  map[string]string // path -> content of every text file, Go files and test data too
	exists map[string]bool   // every path, directories too
}

// source is one Go file.
type source struct {
	path string // slash-separated, from the root
	dir  string // the package's directory; "." for the root
	test bool   // *_test.go
	tree *ast.File
}

// line returns the line of a position, from 1.
func (m *module) line(pos token.Pos) int { return m.fset.Position(pos).Line }

// room returns the directory of our package behind an import path; ok is false for foreign ones.
func (m *module) room(importPath string) (dir string, ok bool) {
	if importPath == m.path {
		return ".", true
	}
	return strings.CutPrefix(importPath, m.path+"/")
}

// imports returns what s imports, by import path.
func (s *source) imports() []imported {
	var all []imported
	for _, spec := range s.tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it, so that this cannot be
		}
		name := path.Base(p)
		if name[0] == 'v' && len(name) > 1 && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p)) // math/rand/v2 is called rand
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		all = append(all, imported{path: p, name: name, pos: spec.Pos()})
	}
	return all
}

// imported is one import of one file, under the name that the file gives it.
type imported struct {
	path string
	name string
	pos  token.Pos
}

// directories that hold no source of ours: what git, make and runs leave there.
const skippedDirs = " .git bin holobench-runs node_modules "

// maxText is the size above which a file is not read as a text, in bytes.
const maxText = 1 << 20

// load parses the module at the root of fsys.
func load(fsys fs.FS) (*module, error) {
	m := &module{fset: token.NewFileSet(), texts: make(map[string]string), exists: map[string]bool{".": true}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.Contains(skippedDirs, " "+path.Base(name)+" "):
			return fs.SkipDir
		case entry.IsDir():
			m.exists[name] = true
			return nil
		}
		return m.add(fsys, name, entry)
	})
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	for line := range strings.Lines(m.texts["go.mod"]) {
		if p, ok := strings.CutPrefix(line, "module "); ok {
			m.path = strings.TrimSpace(p)
		}
	}
	if m.path == "" {
		return nil, errors.New("read the module: go.mod names no module")
	}
	return m, nil
}

// add reads one file.
func (m *module) add(fsys fs.FS, name string, entry fs.DirEntry) error {
	m.exists[name] = true
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a file of an editor or a build that came and went
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxText {
		return nil
	}
	text, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil // not a text
	}
	m.texts[name] = string(text)
	if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
		return nil
	}
	tree, err := parser.ParseFile(m.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	m.files = append(m.files, &source{
		path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), tree: tree,
	})
	return nil
}

// findRoot walks up from dir to the directory that holds go.mod.
func findRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find the root of the module: no go.mod in %s or above", dir)
		}
	}
}

// sorted returns the keys of a map in order, because the order of a map must never reach an output.
func sorted[V any](all map[string]V) []string {
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
