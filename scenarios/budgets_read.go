package scenarios

import (
	"slices"
	"strconv"
)

// budgets resolves the section of that name. Windows are all that there are, those of faults included, if known is true.
func (r *resolver) budgets(windows []Window, known bool) []Budget {
	form := &r.form.Budgets
	names := r.windowNames(windows, known)
	var all []Budget
	for _, e := range form.list {
		if err := r.budgetKey(e, names); err != nil {
			r.addError(e.key, "budgets", err)
			continue
		}
		for _, item := range e.form.items {
			if b, ok := r.threshold(e.name, item); ok {
				all = append(all, b)
			}
		}
	}
	if len(all) > maxBudgets {
		r.add(form.at, "budgets: there are "+strconv.Itoa(len(all))+" thresholds, the limit is "+strconv.Itoa(maxBudgets), "leave some of them out")
	}
	return all
}

// threshold resolves one threshold of a budget.
func (r *resolver) threshold(selector string, form *thresholdForm) (b Budget, ok bool) {
	r.require(&form.Threshold.spot, &form.spot, "threshold", "write {threshold: \"p(99)<250ms\"}, or the expression alone")
	delay := &form.DelayAbortEval
	switch {
	case !delay.usable():
	case !form.AbortOnFail.or(false):
		r.add(delay.at, delay.path+" does nothing without abortOnFail: true", "add that, or leave it out")
	case delay.v > maxTime:
		r.add(delay.at, delay.path+": "+delay.v.String()+" is more than the limit, "+maxTime.String(), "")
	}
	if !form.Threshold.usable() {
		return Budget{}, false
	}
	b, err := ParseBudget(selector, form.Threshold.v)
	if err != nil {
		r.addError(form.Threshold.at, "budgets."+selector, err)
		return Budget{}, false
	}
	b.AbortOnFail, b.AbortDelay = form.AbortOnFail.or(false), delay.or(0)
	return b, true
}

// windowNames lists the windows that budgets can name.
func (r *resolver) windowNames(windows []Window, known bool) []string {
	var names []string
	if known {
		for _, w := range windows {
			names = append(names, w.Name)
		}
		for _, e := range r.form.Windows.list {
			if !e.form.usable() {
				names = append(names, e.name) // a budget on it is no second mistake
			}
		}
		return names
	}
	names = r.form.Windows.names()
	for _, f := range r.form.Faults.items {
		names = append(names, f.Name.v, f.Name.v+afterFault)
	}
	return names
}

// budgetKey checks the selector of a budget, and that what its tags name is in the file.
func (r *resolver) budgetKey(e *namedEntry[budgetForm], windows []string) error {
	b, _, err := parseSelector(e.name)
	if err != nil {
		return err
	}
	if name := b.Tags[TagWindow]; name != "" && !slices.Contains(windows, name) && !r.unsure(&r.form.Windows.spot) && !r.unsure(&r.form.Faults.spot) {
		return problem("there is no window "+quote(name)+suggest(name, windows), known("windows", windows))
	}
	if err := r.budgetFault(&b); err != nil {
		return err
	}
	if err := r.budgetGroup(&b); err != nil {
		return err
	}
	if name := b.Tags[TagLoad]; name != "" {
		var floods []string
		for _, l := range r.form.Load.list {
			if l.form.Flood.v || l.form.Flood.broken {
				floods = append(floods, l.name)
			}
		}
		if !slices.Contains(floods, name) {
			return problem("there is no flood "+quote(name)+suggest(name, floods), known("loads with flood: true", floods))
		}
	}
	return nil
}

// budgetGroup checks that the clients that a budget is about are in the file, and are not all that there are.
func (r *resolver) budgetGroup(b *Budget) error {
	name, groups := b.Tags[TagGroup], r.form.Clients.names()
	switch {
	case name == "" || r.unsure(&r.form.Clients.spot):
	case b.Tags[TagLoad] != "":
		return problem("a flood is sent by no clients", "leave one of the two out: "+TagLoad+" or "+TagGroup)
	case !slices.Contains(groups, name):
		return problem("there are no clients "+quote(name)+suggest(name, groups), known("clients", groups))
	case len(groups) < 2:
		return problem("there are no other clients than "+quote(name)+", so that nothing is reported by "+TagGroup, "leave "+TagGroup+":"+name+" out")
	}
	return nil
}

// ofNobody says whether a budget is about clients that are not among these, or no others beside them.
func (b *Budget) ofNobody(all []Clients) bool {
	_, known := group(all, b.Tags[TagGroup])
	return b.Tags[TagGroup] != "" && (!known || len(all) < 2)
}

// budgetFault checks that the fault that a budget is about is in the file.
func (r *resolver) budgetFault(b *Budget) error {
	if b.Metric != RecoveryTime || r.unsure(&r.form.Faults.spot) {
		return nil
	}
	var faults []string
	for _, f := range r.form.Faults.items {
		faults = append(faults, f.Name.v)
	}
	name := b.Tags[TagFault]
	switch {
	case len(faults) == 0:
		return problem("there is no fault from which anything could recover", "add one to faults, or leave the budget out")
	case name != "" && !slices.Contains(faults, name):
		return problem("there is no fault "+quote(name)+suggest(name, faults), known("faults", faults))
	}
	return nil
}
