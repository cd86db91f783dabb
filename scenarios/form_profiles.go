package scenarios

import "strconv"

// overlayForm is a profile: a mapping that is laid over the file when somebody asks for it. What it says is read then.
type overlayForm struct {
	spot
	profile *node
}

func (o *overlayForm) keep(n *node) { o.profile = n }

// profiles checks the section of that name, apart from what the profiles say, and lists their names.
func (r *resolver) profiles() []string {
	form := &r.form.Profiles
	for _, e := range form.list {
		r.checkKey(e.key, "profiles")
		if !e.form.usable() || e.form.profile == nil {
			continue
		}
		for _, inner := range e.form.profile.entries {
			if inner.key.text == "profiles" || inner.key.text == "version" {
				r.add(inner.key, e.form.path+": a profile has no "+inner.key.text+" of its own", "leave it out")
			}
		}
	}
	if len(form.list) > maxProfiles {
		r.add(form.at, "profiles: there are "+strconv.Itoa(len(form.list))+", the limit is "+strconv.Itoa(maxProfiles), "")
	}
	if len(form.list) == 0 {
		return nil
	}
	return form.names()
}
