package search

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
)

func doc(t testing.TB, text string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var testOptions = Options{Strict: true, Base: "https://ehr.example/fhir", Now: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}

func query(t testing.TB, resourceType, text string) *Query {
	t.Helper()
	q, err := Parse(resourceType, parameters(t, text), testOptions)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

func parameters(t testing.TB, text string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// check expects the queries of yes to find the resource and those of no to miss it; queries are blank separated.
func check(t *testing.T, resource, yes, no string) {
	t.Helper()
	d := doc(t, resource)
	for text := range strings.FieldsSeq(yes) {
		if !Match(d, query(t, d.Type(), text)) {
			t.Errorf("%s does not find the %s", text, d.Type())
		}
	}
	for text := range strings.FieldsSeq(no) {
		if Match(d, query(t, d.Type(), text)) {
			t.Errorf("%s finds the %s", text, d.Type())
		}
	}
}

const bodyHeight = `{"resourceType":"Observation","id":"o1","status":"final",
	"meta":{"lastUpdated":"2019-05-01T10:00:00.123Z","profile":["http://example.org/p|1.0"],"tag":[{"system":"http://example.org/t","code":"red"}],
		"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},
	"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
	"code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"},{"system":"http://example.org/local","code":"Ht|cm"},{"code":"bare"}],"text":"Größe, stehend"},
	"subject":{"reference":"Patient/85","display":"Maren"},
	"effectiveDateTime":"2018-06-01T13:30:00+02:00",
	"valueQuantity":{"value":5.4,"unit":"cm(s)","system":"http://unitsofmeasure.org","code":"cm"}}`

func TestToken(t *testing.T) {
	check(t, bodyHeight, `
		code=8302-2 code=http://loinc.org|8302-2 code=http://loinc.org| code=http://LOINC.org|8302-2,http://loinc.org|8302-2
		code=http://example.org/local|Ht\|cm code=|bare code=bare code=x,bare code=bare&code=8302-2
		code:not=x code:not=http://loinc.org|1 code:text=body code:text=hei code:text=Body+Height code:text=gro code:text=steh
		status=final status=http://hl7.org/fhir/observation-status|final _id=o1 _tag=red _tag=http://example.org/t|red
		_security=R code:missing=false device:missing=true _id=o2,o1 value-concept:not=x value-concept:missing=true
		combo-code=8302-2 status=preliminary,final`,
		`code=8302 code=http://example.org/local|8302-2 code=|8302-2 code=http://example.org/none| code=BARE code=bare&code=x
		code=http://example.org/local|ht\|cm
		code:not=8302-2 code:not=x,bare code:text=eight code:text=body+weight status=FINAL status=http://example.org|final
		_id=O1 _id=o _tag=blue code:missing=true device:missing=false value-concept=x component-code=8302-2`)
	check(t, `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"LA6576-8"}]}}`,
		`code=la6576-8 code=http://loinc.org|la6576-8`, `code=http://loinc.org|la6576`)
	check(t, `{"resourceType":"Patient","active":true,"gender":"female","telecom":[{"system":"phone","value":"555-1"},{"system":"email","value":"A@example.org"}],
		"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"Record number"},"system":"urn:mrn","value":"Ab1"},{"value":"loose"}]}`,
		`active=true gender=female phone=555-1 email=a@example.org telecom=555-1 telecom=phone|555-1 deceased=false identifier=Ab1
		identifier=urn:mrn|Ab1 identifier=urn:mrn| identifier=|loose identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|Ab1
		identifier:text=record gender=http://hl7.org/fhir/administrative-gender|female`,
		`active=false gender=male phone=A@example.org email=555-1 deceased=true identifier=ab1 identifier=|Ab1
		identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|loose identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|Ab1`)
	check(t, `{"resourceType":"Patient","deceasedDateTime":"2019"}`, `deceased=true death-date=2019 active:missing=true active:not=true`, `deceased=false`)
	check(t, `{"resourceType":"Patient","deceasedBoolean":false}`, `deceased=false`, `deceased=true death-date:missing=false`)
	check(t, `{"resourceType":"Task","intent":"order"}`, `intent=http://hl7.org/fhir/request-intent|order intent=order`, `intent=http://example.org|order`)
}

func TestDate(t *testing.T) {
	check(t, bodyHeight, `
		date=2018 date=2018-06 date=2018-06-01 date=2018-06-01T11:30Z date=2018-06-01T11:30:00Z date=2018-06-01T13:30:00%2B02:00
		date=2018-06-01T13:30:00+02:00 date=ne2017 date=gt2017 date=gt2018-05-31 date=lt2019 date=ge2018 date=le2018 date=ge2018-06-01T11:30:00Z
		date=le2018-06-01T11:30:00Z date=sa2018-05 date=eb2018-07 date=ap2018-05-20 date=ge2018&date=lt2018-07 date=2017,2018
		_lastUpdated=2019-05-01 _lastUpdated=gt2019-05-01T10:00:00Z,ge2019-05-01T10:00:00Z _lastUpdated=2019-05-01T10:00:00Z date:missing=false
		code-value-date:missing=true`,
		`date=2017 date=2018-06-02 date=2018-06-01T13:30:00Z date=2018-06-01T11:30:00.000Z date=ne2018 date=gt2018 date=lt2018 date=gt2018-06-01T11:30:00Z
		date=ge2018-06-01T11:30:01Z date=sa2018-06 date=eb2018-06 date=ap2016 date=ge2018&date=lt2018-06
		_lastUpdated=gt2019-05-01T10:00:00.123Z value-date=2018 date:missing=true`)
	period := `{"resourceType":"Encounter","period":{"start":"2019-03-10","end":"2019-03-20T12:00:00Z"}}`
	check(t, period,
		`date=2019 date=2019-03 date=gt2019-03-12 date=lt2019-03-12 date=ge2019-03-12 date=le2019-03-12 date=ap2019-03-12 date=sa2019-03-09 date=eb2019-03-21 date=ne2019-03-12`,
		`date=2019-03-12 date=gt2019-03-20 date=lt2019-03-10 date=sa2019-03-10 date=eb2019-03-20 date=ne2019 date=ap2018`)
	check(t, `{"resourceType":"Encounter","period":{"start":"2019-03-10"}}`,
		`date=gt2030 date=ge2019-03-10 date=ap2025 date=lt2019-03-11 date=sa2019-03-09`, `date=2019 date=lt2019-03-10 date=eb2030 date=eq2019-03-10`)
	check(t, `{"resourceType":"Encounter","period":{"end":"2019-03-10"}}`, `date=lt1900 date=le2019 date=eb2019-03-11`, `date=gt2019-03-10 date=sa1900`)
	check(t, `{"resourceType":"Encounter","period":{}}`, `date:missing=true`, `date=ne2019 date:missing=false`)
	check(t, `{"resourceType":"Observation","effectiveTiming":{"event":["2019-03-10","2019-04-01"],"repeat":{"boundsPeriod":{"start":"2019-02-01","end":"2019-03-11"}}}}`,
		`date=2019 date=sa2019-01 date=eb2019-04-02 date=gt2019-03-31 date=lt2019-02-02`, `date=2019-03 date=sa2019-02-01`)
	check(t, `{"resourceType":"Observation","effectiveInstant":"2016-12-31T23:59:60Z"}`, `date=2017-01-01 date=ge2017`, `date=2016`)
	check(t, `{"resourceType":"Observation","effectiveDateTime":"2019-02-28T24:00:00Z"}`, `date=2019-03-01`, `date=2019-02`)
	check(t, `{"resourceType":"Patient","birthDate":"1960-02-30"}`, `birthdate:missing=true`, `birthdate=1960`)
	check(t, `{"resourceType":"Condition","onsetPeriod":{"start":"2019","end":"2019"},"abatementDateTime":"2020-02"}`, `onset-date=2019 abatement-date=2020 abatement-date=ge2020-02`, `onset-date=2019-05 abatement-date=2020-02-03`)
}

func TestDatesWithoutZoneAreOfTheSite(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Skip("no time zone data: " + err.Error())
	}
	d := doc(t, `{"resourceType":"Observation","effectiveDateTime":"2019-06-30T23:30:00Z"}`) // 1 July in Vienna
	born := doc(t, `{"resourceType":"Patient","birthDate":"2019-03-31"}`)                    // a day of 23 hours
	for zone, date := range map[*time.Location]string{vienna: "2019-07-01", time.UTC: "2019-06-30", nil: "2019-06-30"} {
		q, err := Parse("Observation", url.Values{"date": {date}}, Options{Zone: zone})
		if err != nil || !Match(d, q) {
			t.Errorf("%s in %v is missed (%v)", date, zone, err)
		}
	}
	for text, want := range map[string]bool{"2019-03-31": true, "2019-03": true, "lt2019-03-31T23:59:59": true, "sa2019-03-30T23:59:59": true, "ge2019-04": false} {
		q, err := Parse("Patient", url.Values{"birthdate": {text}}, Options{Zone: vienna})
		if err != nil || Match(born, q) != want {
			t.Errorf("birthdate=%s: %t, want %t (%v)", text, !want, want, err)
		}
	}
	from, to, _ := parseDate("2019-03-31", vienna)
	if to-from != 23*hour {
		t.Errorf("the day has %d hours", (to-from)/hour)
	}
}

func TestNumber(t *testing.T) {
	risk := func(p string) string { return `{"resourceType":"RiskAssessment","prediction":[{` + p + `}]}` }
	check(t, risk(`"probabilityDecimal":0.0540`),
		`probability=0.054 probability=0.05 probability=5.4e-2 probability=0.0540 probability=5.40E-2 probability=.054 probability=gt0.05 probability=lt0.055 probability=ge0.0540
		probability=le0.054 probability=ne0.055 probability=sa0.05 probability=eb0.06 probability=ap0.05 probability=0.1,0.054 probability=%2B0.054`,
		`probability=0.055 probability=0.05400001 probability=gt0.054 probability=lt0.0540 probability=ge0.0541 probability=ne0.05 probability=sa0.054 probability=ap0.07 probability=-0.054`)
	check(t, risk(`"probabilityDecimal":100`), `probability=100 probability=1e2 probability=100.00 probability=ap95`, `probability=101 probability=99.5e0 probability=ap90`)
	check(t, risk(`"probabilityDecimal":99.5`), `probability=100`, `probability=99`)
	check(t, risk(`"probabilityDecimal":100.5`), `probability=101`, `probability=100`)
	check(t, risk(`"probabilityDecimal":-2`), `probability=-2 probability=lt0 probability=ap-2.1`, `probability=2 probability=gt-2`)
	check(t, risk(`"probabilityDecimal":0`), `probability=0 probability=-0 probability=0.0`, `probability=0.1`)
	check(t, risk(`"probabilityRange":{"low":{"value":2},"high":{"value":4}}`), `probability=gt3 probability=lt3 probability=sa1 probability=ap4.2`, `probability=3 probability=gt4 probability=sa2`)
	check(t, risk(`"probabilityDecimal":123456789012345678901234567890`), `probability=123456789012345678901234567890 probability=1e29,gt1e29`, `probability=1.0e29`)
}

func TestQuantity(t *testing.T) {
	check(t, bodyHeight, `
		value-quantity=5.4 value-quantity=5.40 value-quantity=5 value-quantity=5.4|http://unitsofmeasure.org|cm value-quantity=5.4||cm
		value-quantity=5.4||cm(s) value-quantity=gt5.3||cm value-quantity=lt5.5 value-quantity=ap5 value-quantity=5.4|http://unitsofmeasure.org|
		combo-value-quantity=5.4 code-value-quantity=8302-2$5.4 code-value-quantity=http://loinc.org|8302-2$gt5||cm combo-code-value-quantity=8302-2$le5.4
		code-value-quantity=x$5.4,bare$5.4 code-value-quantity=http://example.org/local|Ht\|cm$5.4`,
		`value-quantity=5.5 value-quantity=5.41 value-quantity=5.4||mm value-quantity=5.4|http://example.org|cm value-quantity=5.4|http://unitsofmeasure.org|cm(s)
		value-quantity=gt5.4 value-quantity=5.4||CM code-value-quantity=8302-2$5.5 code-value-quantity=x$5.4 component-code-value-quantity=8302-2$5.4`)
	below := `{"resourceType":"Observation","valueQuantity":{"value":5,"comparator":"<"}}`
	check(t, below, `value-quantity=lt5 value-quantity=le4 value-quantity=gt4 value-quantity=eb5 value-quantity=ne5`, `value-quantity=5 value-quantity=ge5 value-quantity=gt5`)
	check(t, strings.Replace(below, `"<"`, `"<="`, 1), `value-quantity=lt-100 value-quantity=ge5 value-quantity=le5`, `value-quantity=gt5 value-quantity=5`)
	check(t, strings.Replace(below, `"<"`, `">"`, 1), `value-quantity=gt100 value-quantity=gt5 value-quantity=sa5`, `value-quantity=le5 value-quantity=5`)
	check(t, strings.Replace(below, `"<"`, `">="`, 1), `value-quantity=ge5 value-quantity=gt1000 value-quantity=le5`, `value-quantity=lt5 value-quantity=5`)
	check(t, `{"resourceType":"Invoice","totalNet":{"value":12.5,"currency":"EUR"}}`, `totalnet=12.5 totalnet=12.5||EUR totalnet=12.5|urn:iso:std:iso:4217|EUR`, `totalnet=12.5||USD`)
	check(t, `{"resourceType":"Condition","onsetAge":{"value":40,"unit":"a","system":"http://unitsofmeasure.org","code":"a"},"abatementRange":{"low":{"value":60,"code":"a"}}}`,
		`onset-age=40||a abatement-age=gt100||a abatement-age=sa59`, `onset-age=41 abatement-age=lt60`)
	check(t, `{"resourceType":"Observation","valueSampledData":{"origin":{"value":2,"unit":"mV"},"factor":2,"data":"1 E -3 U 4.5"}}`,
		`value-quantity=ge11 value-quantity=le-4 value-quantity=gt0||mV`, `value-quantity=gt11 value-quantity=lt-4`)
	check(t, `{"resourceType":"Observation","valueQuantity":{"unit":"cm"}}`, `value-quantity:missing=true`, `value-quantity=ne1`)
}

func TestComponentsOfACompositeAreOfOneElement(t *testing.T) {
	check(t, `{"resourceType":"Observation","code":{"coding":[{"code":"bp"}]},"component":[
		{"code":{"coding":[{"code":"systolic"},{"code":"sys2"}]},"valueQuantity":{"value":120}},
		{"code":{"coding":[{"code":"diastolic"}]},"valueQuantity":{"value":80}}]}`,
		`component-code-value-quantity=systolic$120 component-code-value-quantity=sys2$120 component-code-value-quantity=diastolic$lt90 combo-code-value-quantity=diastolic$80
		component-code=systolic&component-value-quantity=80 component-code-value-quantity=systolic$80,diastolic$80`,
		`component-code-value-quantity=systolic$80 component-code-value-quantity=diastolic$120 combo-code-value-quantity=bp$120 code-value-quantity=bp$120`)
	check(t, `{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":10,"windowEnd":20},"variant":[{"start":11,"end":12},{"start":15,"end":16}]}`,
		`chromosome-variant-coordinate=1$11$12 chromosome-variant-coordinate=1$ge15$le16 chromosome-window-coordinate=1$10$20`,
		`chromosome-variant-coordinate=1$11$16 chromosome-variant-coordinate=2$11$12`)
	check(t, `{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/a"}},{"code":"signs","target":{"reference":"DocumentReference/b"}}]}`,
		`relationship=DocumentReference/a$replaces relationship=b$signs`, `relationship=a$signs`)
	check(t, `{"resourceType":"Group","characteristic":[{"code":{"coding":[{"code":"sex"}]},"valueCodeableConcept":{"coding":[{"code":"f"}]}},{"code":{"coding":[{"code":"smoker"}]},"valueBoolean":true}]}`,
		`characteristic-value=sex$f characteristic-value=smoker$true value=f,true`, `characteristic-value=sex$true`)
}

func TestString(t *testing.T) {
	check(t, `{"resourceType":"Patient","name":[{"family":"Ångström-Øre","given":["Zoë  Maria",null,"李"],"text":"Dr. Zoë Ångström"}],"address":[{"line":["Straße 5"],"city":"São Paulo"}],
		"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName","valueString":"Grün"}]}`,
		`family=angstrom family=ÅNGSTRÖM family=Ang family:exact=Ångström-Øre family:contains=strom given=zoe+maria given=zoe given=李 given:exact=李
		name=angst name=zoe name=dr name:contains=ANG address=sao address-city=S%C3%83O+P address=straß name=x,zoe name=zoe&name=ang mothersMaidenName=grun`,
		`family=strom family:exact=ångström-øre family:exact=Ångström family:contains=xyz given=maria given:exact=Zoe+Maria address-city=paulo name=zoe&name=x
		mothersMaidenName=braun`)
	check(t, `{"resourceType":"Patient","name":[{"given":["Zoë  Maria"]}]}`, `given:exact=Zo%C3%AB++Maria`, `given:exact=Zo%C3%AB+Maria`)
	check(t, `{"resourceType":"Patient","name":[{"family":"Zoe\u0308"}]}`, `family=zo%C3%AB`, `family:exact=Zo%C3%AB`)
	check(t, `{"resourceType":"Observation","valueString":"a, b $ c \\ d | e"}`, `value-string=a\,+b+\$+c+\\+d+\|+e value-string=a\, value-string:exact=a\,+b+\$+c+\\+d+\|+e`, `value-string=b`)
	check(t, `{"resourceType":"Condition","code":{"text":"x"},"onsetString":"Kindheit"}`, `onset-info=kind`, `onset-info=heit`)
}

func TestURI(t *testing.T) {
	check(t, `{"resourceType":"ValueSet","url":"http://acme.example/fhir/ValueSet/1","version":"2"}`,
		`url=http://acme.example/fhir/ValueSet/1 url:below=http://acme.example/fhir url:below=http://acme.example/fhir/ url:below=http://acme.example/fhir/ValueSet/1
		url:above=http://acme.example/fhir/ValueSet/1/x url:above=http://acme.example/fhir/ValueSet/1 version=2 url=urn:x,http://acme.example/fhir/ValueSet/1`,
		`url=http://acme.example/fhir/ValueSet url=HTTP://acme.example/fhir/ValueSet/1 url:below=http://acme.example/fh url:above=http://acme.example/fhir`)
	check(t, bodyHeight, `_profile=http://example.org/p _profile=http://example.org/p\|1.0 _profile=http://example.org/p|1.0 _profile:below=http://example.org`,
		`_profile=http://example.org/p|2.0 _profile=http://example.org`)
}

func TestReference(t *testing.T) {
	check(t, bodyHeight, `
		patient=85 patient=Patient/85 patient=https://ehr.example/fhir/Patient/85 patient:Patient=85 subject=85 subject=Patient/85 subject:Patient=85
		subject=Patient/85/_history/3 subject=Group/85,Patient/85 patient=1,85 performer:missing=true`,
		`patient=8 patient=https://other.example/fhir/Patient/85 subject:Group=85 subject=Group/85 patient=http://ehr.example/fhir/Patient/85 performer=Patient/85`)
	subject := func(s string) string { return `{"resourceType":"Observation","subject":{` + s + `}}` }
	check(t, subject(`"reference":"https://ehr.example/fhir/Patient/85/_history/2"`), `patient=85 subject=Patient/85`, `subject=Group/85`)
	check(t, subject(`"reference":"https://other.example/r4/Patient/85/_history/2"`),
		`patient=https://other.example/r4/Patient/85 subject=https://other.example/r4/Patient/85/_history/7 patient:missing=false`, `patient=85 subject=Patient/85`)
	check(t, subject(`"reference":"Group/85"`), `subject=85 subject=Group/85 patient:missing=true`, `patient=85 patient:missing=false`)
	check(t, subject(`"reference":"Patient/abc"`), `patient=abc`, `patient=ABC`)
	check(t, subject(`"reference":"urn:uuid:6d6e3d9e-8e43-4b4f-9d6a-1c2f5a1b0c11","type":"Patient"`), `patient=urn:uuid:6d6e3d9e-8e43-4b4f-9d6a-1c2f5a1b0c11 patient:missing=false`, `patient=6d6e3d9e-8e43-4b4f-9d6a-1c2f5a1b0c11`)
	check(t, subject(`"identifier":{"system":"urn:mrn","value":"7"},"type":"Patient"`),
		`patient:identifier=urn:mrn|7 subject:identifier=7 patient:missing=false`, `patient:identifier=8 patient=7`)
	check(t, subject(`"identifier":{"system":"urn:mrn","value":"7"}`), `subject:identifier=urn:mrn|7 patient:missing=true`, `patient:identifier=7`)
	check(t, subject(`"display":"somebody"`), `subject:missing=true`, `subject=somebody`)
	contained := `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p1","name":[{"family":"Inner"}]},{"resourceType":"Device","id":"d"}],"subject":{"reference":"#p1"},"device":{"reference":"#d"}}`
	check(t, contained, `patient:missing=false subject:missing=false device:missing=false`, `patient=p1 subject=Patient/p1 device=d _id=p1`)
	check(t, `{"resourceType":"QuestionnaireResponse","questionnaire":"http://example.org/Questionnaire/q|3"}`,
		`questionnaire=http://example.org/Questionnaire/q questionnaire=http://example.org/Questionnaire/q|3`, `questionnaire=http://example.org/Questionnaire/q|2 questionnaire=q`)
	check(t, `{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c"}},{"resource":{"resourceType":"Composition","id":"c2"}},{"resource":{"resourceType":"Patient","id":"p"}}]}`,
		`composition=c composition=Composition/c message:missing=true`, `composition=p composition=c2 message=c`)
	check(t, `{"resourceType":"Library","relatedArtifact":[{"type":"depends-on","resource":"http://example.org/a"},{"type":"successor","resource":"http://example.org/b"}]}`,
		`depends-on=http://example.org/a successor=http://example.org/b`, `depends-on=http://example.org/b`)
	check(t, `{"resourceType":"QuestionnaireResponse","item":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject","valueBoolean":true}],
		"answer":[{"valueReference":{"reference":"Patient/s"}}]},{"answer":[{"valueReference":{"reference":"Patient/n"}}]}]}`, `item-subject=Patient/s`, `item-subject=Patient/n`)
}

func TestMatchIsSafeForConcurrentUse(t *testing.T) {
	d := doc(t, bodyHeight)
	yes, no := query(t, "Observation", "code-value-quantity=8302-2$5.4&patient=85&_sort=-date"), query(t, "Observation", "combo-code=x")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				if !Match(d, yes) || Match(d, no) || len(yes.SortKey(d)) == 0 || len(Values(d, testOptions)) == 0 {
					t.Error("answers differ between goroutines")
					return
				}
			}
		})
	}
	all.Wait()
}

func TestMatchIsOfOneType(t *testing.T) {
	if Match(doc(t, `{"resourceType":"Patient","id":"o1"}`), query(t, "Observation", "_id=o1")) {
		t.Error("a query finds another type")
	}
	if !Match(doc(t, bodyHeight), query(t, "Observation", "")) {
		t.Error("a query without conditions finds not everything")
	}
}
