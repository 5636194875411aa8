// Writes fields.json: how the Go types of the Kubernetes API write their fields to JSON. The provider needs it to
// bring inputs into the form in which the API server gives them back (see ../normalize.ts).
//
//	go run . > fields.json
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

var (
	quantity = reflect.TypeOf(resource.Quantity{})
	object   = reflect.TypeOf((*metav1.Object)(nil)).Elem()
	unknown  = reflect.TypeOf((*runtime.Unstructured)(nil)).Elem()
)

// A type is written as a short text:
//
//	s, n, b   text, number, true or false
//	q         quantity
//	*         anything, left as it is
//	[x {x     list of x, map of x
//	digits    a struct, by its place in the list of structs
//
// A field's type has ? in front when the field is left out while empty.
type table struct {
	Kinds   map[string]int      `json:"kinds"`
	Structs []map[string]string `json:"structs"`
	places  map[reflect.Type]int
}

func main() {
	t := table{Kinds: map[string]int{}, places: map[reflect.Type]int{}}
	known := scheme.Scheme.AllKnownTypes()
	var names []string
	byName := map[string]reflect.Type{}
	for gvk, goType := range known {
		if gvk.Version == "__internal" || strings.HasSuffix(gvk.Kind, "List") || strings.HasSuffix(gvk.Kind, "Options") {
			continue
		}
		if !reflect.PointerTo(goType).Implements(object) || reflect.PointerTo(goType).Implements(unknown) {
			continue
		}
		name := gvk.GroupVersion().String() + "/" + gvk.Kind
		names = append(names, name)
		byName[name] = goType
	}
	sort.Strings(names)
	for _, name := range names {
		t.Kinds[name] = t.place(byName[name])
	}
	encoder := json.NewEncoder(os.Stdout)
	if err := encoder.Encode(t); err != nil {
		panic(err)
	}
}

func (t *table) place(goType reflect.Type) int {
	if place, ok := t.places[goType]; ok {
		return place
	}
	place := len(t.Structs)
	t.places[goType] = place
	t.Structs = append(t.Structs, nil)
	fields := map[string]string{}
	t.addFields(goType, fields)
	t.Structs[place] = fields
	return place
}

func (t *table) addFields(goType reflect.Type, fields map[string]string) {
	for i := 0; i < goType.NumField(); i++ {
		field := goType.Field(i)
		parts := strings.Split(field.Tag.Get("json"), ",")
		if parts[0] == "-" || !field.IsExported() {
			continue
		}
		if parts[0] == "" {
			t.addFields(field.Type, fields)
			continue
		}
		text := t.text(field.Type)
		for _, option := range parts[1:] {
			if option == "omitempty" && canBeEmpty(field.Type) {
				text = "?" + text
			}
		}
		fields[parts[0]] = text
	}
}

// A pointer is empty only when it is nil, and a struct never is.
func canBeEmpty(goType reflect.Type) bool {
	return goType.Kind() != reflect.Struct && goType.Kind() != reflect.Pointer && goType.Kind() != reflect.Interface
}

func (t *table) text(goType reflect.Type) string {
	if goType.Kind() == reflect.Pointer {
		return t.text(goType.Elem())
	}
	if goType == quantity {
		return "q"
	}
	if marshals(goType) {
		return "*"
	}
	switch goType.Kind() {
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return "n"
	case reflect.Map:
		return "{" + t.text(goType.Elem())
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			return "*"
		}
		return "[" + t.text(goType.Elem())
	case reflect.Struct:
		return itoa(t.place(goType))
	default:
		return "*"
	}
}

// marshals tells whether the type writes its own JSON, as times, ports that may be names and raw extensions do.
func marshals(goType reflect.Type) bool {
	marshaler := reflect.TypeOf((*json.Marshaler)(nil)).Elem()
	return goType.Implements(marshaler) || reflect.PointerTo(goType).Implements(marshaler)
}

func itoa(number int) string {
	text, _ := json.Marshal(number)
	return string(text)
}
