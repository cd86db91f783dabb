package scenarios

import (
	"math"
	"reflect"
)

// scaled is a collection that hands out the forms in it.
type scaled interface{ forms() []any }

func (m *named[T]) forms() []any {
	var all []any
	for _, e := range m.list {
		all = append(all, &e.form)
	}
	return all
}

func (l *list[T]) forms() []any {
	var all []any
	for _, item := range l.items {
		all = append(all, item)
	}
	return all
}

// scaleForms multiplies each value whose field bears the tag scale, in the form and all forms in it: counts are rounded, and stay at
// least 1. The tag is the one place that says what grows with a scenario.
func scaleForms(form any, by float64) {
	if by == 0 {
		return
	}
	if all, ok := form.(scaled); ok {
		for _, inner := range all.forms() {
			scaleForms(inner, by)
		}
		return
	}
	value := reflect.ValueOf(form).Elem()
	if value.Kind() != reflect.Struct {
		return
	}
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if _, key := field.Tag.Lookup("yaml"); !key {
			continue
		}
		if _, scales := field.Tag.Lookup("scale"); !scales {
			scaleForms(value.Field(i).Addr().Interface(), by)
			continue
		}
		switch leaf := value.Field(i).Addr().Interface().(type) {
		case *integer:
			if leaf.v > 0 {
				leaf.v = uint64(math.Max(1, math.Round(min(float64(leaf.v)*by, math.MaxInt64))))
			}
		case *rate:
			leaf.v *= by
		}
	}
}
