package scim

import "net/http"

// What a directory asks first: what is supported, which kinds of resources, and their attributes.
// Source: https://www.rfc-editor.org/rfc/rfc7643#section-5, sections 6 and 7.

func (a *API) serviceProviderConfig(request) (answer, error) {
	no := map[string]any{"supported": false}
	return answer{status: 200, body: map[string]any{
		"schemas":          []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":            map[string]any{"supported": true},
		"bulk":             map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":           map[string]any{"supported": true, "maxResults": mostCount},
		"changePassword":   no,
		"sort":             no,
		"etag":             no,
		"documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
		"authenticationSchemes": []any{map[string]any{"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "The token that this house gave to the directory"}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": a.Base + Root + "/ServiceProviderConfig"},
	}}, nil
}

func (a *API) resourceTypes(r request) (answer, error) {
	kind := func(name, path, schema string, extensions ...any) map[string]any {
		out := map[string]any{"schemas": []string{core + "ResourceType"}, "id": name, "name": name, "endpoint": path, "schema": schema,
			"meta": map[string]any{"resourceType": "ResourceType", "location": a.Base + Root + "/ResourceTypes/" + name}}
		if len(extensions) > 0 {
			out["schemaExtensions"] = extensions
		}
		return out
	}
	return r.catalogue([]map[string]any{
		kind("User", "/Users", core+"User", map[string]any{"schema": enterprise, "required": false}),
		kind("Group", "/Groups", core+"Group"),
	})
}

// catalogue answers with one of a few resources by id, or all.
func (r request) catalogue(all []map[string]any) (answer, error) {
	id := r.PathValue("id")
	if id == "" {
		if r.URL.Query().Has("filter") {
			return answer{}, refuse(http.StatusForbidden, "", "this list is not filtered")
		}
		return r.page(all)
	}
	for _, one := range all {
		if one["id"] == id {
			return answer{status: 200, body: one}, nil
		}
	}
	return answer{}, refuse(404, "", "there is no such resource")
}

func (a *API) schemas(r request) (answer, error) {
	attr := func(name, kind string, more ...any) map[string]any {
		out := map[string]any{"name": name, "type": kind, "multiValued": false, "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"}
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i].(string)] = more[i+1]
		}
		return out
	}
	schema := func(id, name, about string, attributes ...any) map[string]any {
		return map[string]any{"schemas": []string{core + "Schema"}, "id": id, "name": name, "description": about, "attributes": attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": a.Base + Root + "/Schemas/" + id}}
	}
	reference := []any{attr("value", "string"), attr("$ref", "reference", "referenceTypes", []string{"User", "Group"}), attr("display", "string"), attr("type", "string")}
	return r.catalogue([]map[string]any{
		schema(core+"User", "User", "A person who works here",
			attr("userName", "string", "required", true, "uniqueness", "server"), attr("externalId", "string", "caseExact", true),
			attr("name", "complex", "subAttributes", []any{attr("formatted", "string"), attr("givenName", "string"), attr("familyName", "string")}),
			attr("displayName", "string"), attr("title", "string"), attr("active", "boolean"),
			attr("emails", "complex", "multiValued", true, "subAttributes", []any{attr("value", "string"), attr("type", "string"), attr("primary", "boolean")}),
			attr("groups", "complex", "multiValued", true, "mutability", "readOnly", "subAttributes", reference)),
		schema(core+"Group", "Group", "A group; what it gives is mapped here",
			attr("displayName", "string", "required", true, "uniqueness", "server"), attr("externalId", "string", "caseExact", true),
			attr("members", "complex", "multiValued", true, "subAttributes", reference)),
		schema(enterprise, "EnterpriseUser", "Work",
			attr("department", "string"), attr("employeeNumber", "string"),
			attr("manager", "complex", "subAttributes", []any{attr("value", "string"), attr("$ref", "reference", "referenceTypes", []string{"User"}), attr("displayName", "string")})),
	})
}
