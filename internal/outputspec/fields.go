package outputspec

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Field is one key of a kind.
type Field struct {
	Key     string
	Doc     string
	Values  []string // if only these are allowed
	Unit    string   // of a number
	Default string   // as it would be written; empty if there is none
	List    bool     // it may be repeated
}

// Fields returns the keys of a kind: the fields of its struct that have the tag key, those
// of embedded structs included. The other tags are doc, and values (with | between them) or
// unit. The type of a field is string, bool, int, float64, a list of strings, or one that
// implements encoding.TextUnmarshaler.
func (k *Kind) Fields() []Field {
	var fields []Field
	walk(reflect.ValueOf(k.New()).Elem(), func(f reflect.StructField, v reflect.Value) {
		field := Field{Key: f.Tag.Get("key"), Doc: f.Tag.Get("doc"), Unit: f.Tag.Get("unit"), List: v.Kind() == reflect.Slice}
		if values := f.Tag.Get("values"); values != "" {
			field.Values = strings.Split(values, "|")
		}
		switch {
		case v.Kind() == reflect.Bool:
			field.Values = []string{"yes", "no"}
			field.Default = map[bool]string{true: "yes", false: "no"}[v.Bool()]
		case !field.List && (!v.IsZero() || v.CanInt() || v.CanFloat()):
			field.Default = fmt.Sprint(v.Interface())
		}
		fields = append(fields, field)
	})
	return fields
}

// walk visits the fields with keys.
func walk(v reflect.Value, visit func(reflect.StructField, reflect.Value)) {
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			walk(v.Field(i), visit)
		case f.Tag.Get("key") != "":
			visit(f, v.Field(i))
		}
	}
}

// set sets a key, which may have been given before. A key that is no list is given once.
func set(keys any, kind, key, value string, again bool) error {
	var known []string
	var field reflect.StructField
	var target reflect.Value
	walk(reflect.ValueOf(keys).Elem(), func(f reflect.StructField, v reflect.Value) {
		known = append(known, f.Tag.Get("key"))
		if f.Tag.Get("key") == key {
			field, target = f, v
		}
	})
	if !target.IsValid() {
		return &UnknownKeyError{kind, key, known}
	}
	if again && target.Kind() != reflect.Slice {
		return fmt.Errorf("%s is given twice", key)
	}
	if values := field.Tag.Get("values"); values != "" && !slices.Contains(strings.Split(values, "|"), value) {
		return fmt.Errorf("%s is %q; it is one of %s", key, value, strings.ReplaceAll(values, "|", ", "))
	}
	if wanted := assign(target, value); wanted != "" {
		return fmt.Errorf("%s is %q; it is %s", key, value, wanted)
	}
	return nil
}

// assign sets a value from text. If that is not possible it returns what is wanted.
func assign(v reflect.Value, text string) (wanted string) {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			var w wantedError
			if errors.As(err, &w) {
				return string(w)
			}
			return err.Error()
		}
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if text == "" {
			return "not empty"
		}
		v.SetString(text)
	case reflect.Slice:
		if text == "" {
			return "not empty"
		}
		v.Set(reflect.Append(v, reflect.ValueOf(text)))
	case reflect.Bool:
		switch text {
		case "yes", "true", "1":
			v.SetBool(true)
		case "no", "false", "0":
			v.SetBool(false)
		default:
			return "yes or no"
		}
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return "a whole number"
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return "a number"
		}
		v.SetFloat(x)
	default:
		panic("outputspec: a key of type " + v.Type().String())
	}
	return ""
}

// A wantedError is returned by UnmarshalText and says what a value is.
type wantedError string

func (e wantedError) Error() string { return string(e) }

// Wanted returns an error for UnmarshalText: what a value is, as in "a number, or source".
func Wanted(what string) error { return wantedError(what) }
