package embedded

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestRegister(t *testing.T) {
	Register("b", fstest.MapFS{"x": {}})
	Register("a", fstest.MapFS{})
	if !slices.Equal(Names(), []string{"a", "b"}) {
		t.Errorf("the names are %v", Names())
	}
	files, ok := Lookup("b")
	if _, err := files.Open("x"); !ok || err != nil {
		t.Errorf("the files of b: %v, %v", ok, err)
	}
	if _, ok := Lookup("c"); ok {
		t.Error("a model that nobody registered is there")
	}
	defer func() {
		if recover() == nil {
			t.Error("a name was given twice")
		}
	}()
	Register("a", fstest.MapFS{})
}
