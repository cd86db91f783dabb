package scenarios

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Sizes make another size of a scenario without a change of its file: first profiles are laid over it, then single values, then
// counts and rates are scaled, and at last all loads but a few are left out. The result is read as strictly as the file itself. The
// zero Sizes change nothing.
type Sizes struct {
	Profiles []string // of the file, in the order in which they are laid over it
	Set      []string // such as "clients.members.count=50"
	Scale    float64  // by which counts and rates are multiplied; 0 = 1
	Only     []string // loads that are kept, with the clients that they need; none = all
}

// maxScale bounds Sizes.Scale; the limits of what is scaled bound it further.
const maxScale = 100

// ParseScale reads a percentage above 0, such as 5%.
func ParseScale(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	v, err := parseNumber(number)
	if err != nil || !percent || v == 0 || v > maxScale*100 {
		return 0, problem(quote(s)+" is no scale", fmt.Sprintf("write a percentage above 0, at most %d%%: 5%%", maxScale*100))
	}
	return v / 100, nil
}

// flags says the sizes as they are typed, without the values that may be secret.
func (s *Sizes) flags() []string {
	var all []string
	for _, name := range s.Profiles {
		all = append(all, "--profile "+name)
	}
	for _, set := range s.Set {
		path, _, _ := strings.Cut(set, "=")
		if strings.HasPrefix(path, "server") || strings.HasPrefix(path, "feeds") {
			set = path + "=***"
		}
		all = append(all, "--set "+set)
	}
	if s.Scale > 0 {
		all = append(all, fmt.Sprintf("--scale %g%%", s.Scale*100))
	}
	for _, name := range s.Only {
		all = append(all, "--only "+name)
	}
	return all
}

// ReadSized is Read for a scenario of another size.
func ReadSized(path string, env func(name string) (value string, ok bool), sizes Sizes) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1)) // one more, so that the parser sees that it is too long
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return ParseSized(path, text, env, sizes)
}

// ParseSized is Parse for a scenario of another size. An error stands where the wrong value does: in the file, a profile of it
// included, or at the flag that brought it in.
func ParseSized(file string, text []byte, env func(name string) (value string, ok bool), sizes Sizes) (*File, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	r := &resolver{faults: new(faults), env: env, file: file}
	source := strings.TrimPrefix(string(text), "\ufeff")
	if !checkText(source, r.faults) {
		return nil, r.errors(file, source)
	}
	root := parseYAML(source, r.faults)
	if root == nil || !checkVersion(root, r.faults) {
		return nil, r.errors(file, hideHeaders(source))
	}
	sized := root
	if root.kind == mappingNode {
		sized = r.resize(root, &sizes)
	}
	d := &decoder{r.faults}
	d.decode(sized, sized, &r.form, "")
	servers := append(serversOf(root), &r.form.Server)
	var parsed *File
	if sized.kind == mappingNode {
		scaleForms(&r.form, sizes.Scale)
		parsed = r.resolve(file)
	}
	if err := r.allErrors(file, maskServers(source, servers, keepWidth)); err != nil {
		return nil, err
	}
	parsed.Text, parsed.Resized = maskServers(source, servers, keepNothing), sizes.flags()
	if err := parsed.keepOnly(sizes.Only); err != nil {
		return nil, err
	}
	return parsed, nil
}

// resize lays profiles and single values over a file.
func (r *resolver) resize(root *node, sizes *Sizes) *node {
	form := new(fileForm)
	for _, name := range sizes.Profiles {
		profiles := profilesOf(root)
		at := slices.IndexFunc(profiles, func(e entry) bool { return e.key.text == name })
		if at < 0 {
			var names []string
			for _, e := range profiles {
				names = append(names, e.key.text)
			}
			r.add(&node{source: "--profile " + name}, "there is no such profile"+suggest(name, names), known("profiles", names))
			continue
		}
		if profiles[at].value.kind == mappingNode { // another is reported when it is read
			root = r.overlay(root, profiles[at].value, form, "")
		}
	}
	for _, set := range sizes.Set {
		root = r.set(root, set)
	}
	return root
}

// profilesOf lists the profiles that stand in a file.
func profilesOf(root *node) []entry {
	if profiles := root.find("profiles"); profiles != nil && profiles.kind == mappingNode {
		return profiles.entries
	}
	return nil
}

// serversOf reads what the file, and each of its profiles, say of the server, for the secrets in it alone.
func serversOf(root *node) []*serverForm {
	said := []*node{root.find("server")}
	for _, e := range profilesOf(root) {
		said = append(said, e.value.find("server"))
	}
	var all []*serverForm
	for _, n := range said {
		if n != nil {
			form := new(serverForm)
			(&decoder{new(faults)}).decode(n, n, form, "server")
			all = append(all, form)
		}
	}
	return all
}
