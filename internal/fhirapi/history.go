package fhirapi

import (
	"net/http"
	"strconv"
)

func (a *API) history(w http.ResponseWriter, r *http.Request) {
	typ, id := r.PathValue("type"), r.PathValue("id")
	versions, entry, err := a.Gate.History(r.Context(), principal(r), typ, id)
	if err != nil {
		Fail(w, err)
		return
	}
	b := []byte(`{"resourceType":"Bundle","type":"history","total":` + strconv.Itoa(len(versions)) + `,"link":[{"relation":"self","url":"` +
		a.Base + "/" + typ + "/" + id + `/_history"}],"entry":[`)
	for i, v := range versions {
		if i > 0 {
			b = append(b, ',')
		}
		method, status := "PUT", "200"
		switch {
		case v.Deleted:
			method, status = "DELETE", "204"
			b = append(b, `{"fullUrl":"`+a.Base+"/"+typ+"/"+id+`"`...)
		default:
			if v.Version == 1 {
				method, status = "POST", "201"
			}
			b = a.entry(b, v.Doc)
		}
		b = append(b, `,"request":{"method":"`+method+`","url":"`+typ+"/"+id+`"},"response":{"status":"`+status+`","etag":"W/\"`+
			strconv.FormatInt(v.Version, 10)+`\"","lastModified":"`+instant(v.Updated)+`"}}`...)
	}
	b = append(b, `]}`...)
	w.Header().Set("X-Audit-Entry", entry)
	body(w, http.StatusOK, b)
}
