package server

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Every field of the configuration is a setting with a meaning, told once; and what is shown holds no secret.
func TestEverySettingIsTold(t *testing.T) {
	var c Config
	fields := reflect.ValueOf(&c).Elem()
	told := map[any]bool{}
	flags := map[string]bool{}
	for _, s := range Settings(&c) {
		if s.Usage == "" || s.Means == "" || s.Group == "" || !strings.HasSuffix(s.Means, ".") || flags[s.Flag] {
			t.Errorf("--%s is not told, or twice", s.Flag)
		}
		told[s.Value], flags[s.Flag] = true, true
	}
	for i := range fields.NumField() {
		if f := fields.Field(i); f.Kind() == reflect.String && !told[f.Addr().Interface()] {
			t.Errorf("the field %s of the configuration is no setting", fields.Type().Field(i).Name)
		}
	}
	s := &Server{Config: Config{Data: "d", Database: "postgres://u:s3cret@h/d?sslpassword=s3cret", Origins: map[string]string{"data": FromFlag}}}
	shown := fmt.Sprint(s.settings())
	if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "postgres://u:") || !strings.Contains(shown, FromFlag) {
		t.Error(shown)
	}
}
