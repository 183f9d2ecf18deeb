package main

import "strings"

// vocabulary fills the holes that are words. A coding is JSON without the braces around the concept: systems, codes and names as
// they appear in everyday resources; names of people and places are of nobody and nowhere.
var vocabulary = map[string][]string{
	"family":  words("Adler Birke Castell Dahl Eskola Ferro Grau Holm Ivers Jansa Keller Lund Moor Nagel Orban Pohl Quist Rand Sorel Tamm Ulven Varga Wenz Yilma Zanker"),
	"given":   words("Ada Bo Cleo Dara Eli Finn Gia Hana Ines Jon Kira Lou Mika Noa Ole Pia Quin Rea Sam Tova Uma Vin Wim Xeni Yara Zeno"),
	"city":    words("Northbridge Millbrook Eastvale Stonefield Lakeport Ashford Riverton Hillcrest"),
	"street":  {"12 Mill Lane", "407 Station Road Apt 3", "88 Harbour Street", "5 Church Walk", "1940 Orchard Avenue"},
	"state":   words("MA NY CA TX BE BY ON"),
	"country": words("US DE CA GB"),
	"gender":  words("male female female male other unknown"),
	"marital": {
		`"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"`,
		`"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"S","display":"Never Married"`},
	"language": {`"system":"urn:ietf:bcp:47","code":"en-US","display":"English"`, `"system":"urn:ietf:bcp:47","code":"de","display":"German"`, `"system":"urn:ietf:bcp:47","code":"es","display":"Spanish"`},
	"race": {
		`"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"White"}},{"url":"text","valueString":"White"`,
		`"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2054-5","display":"Black or African American"}},{"url":"text","valueString":"Black or African American"`,
		`"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2028-9","display":"Asian"}},{"url":"text","valueString":"Asian"`},
	"ethnicity": {
		`"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2186-5","display":"Not Hispanic or Latino"}},{"url":"text","valueString":"Not Hispanic or Latino"`,
		`"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2135-2","display":"Hispanic or Latino"}},{"url":"text","valueString":"Hispanic or Latino"`},
	"class": {
		`"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"`,
		`"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP","display":"inpatient encounter"`,
		`"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"EMER","display":"emergency"`,
		`"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"WELLNESS"`, `"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"`},
	"finding": concepts("http://snomed.info/sct", "44054006", "Diabetes mellitus type 2 (disorder)", "38341003", "Hypertensive disorder (disorder)", "195662009", "Acute viral pharyngitis (disorder)",
		"444814009", "Viral sinusitis (disorder)", "10509002", "Acute bronchitis (disorder)", "195967001", "Asthma (disorder)", "53741008", "Coronary arteriosclerosis (disorder)", "84114007", "Heart failure (disorder)",
		"35489007", "Depressive disorder (disorder)", "162864005", "Body mass index 30+ - obesity (finding)", "15777000", "Prediabetes (finding)", "271737000", "Anemia (disorder)", "65966004", "Fracture of forearm (disorder)", "72892002", "Normal pregnancy (finding)"),
	"act": concepts("http://snomed.info/sct", "185349003", "Encounter for check up (procedure)", "185345009", "Encounter for symptom (procedure)", "162673000", "General examination of patient (procedure)",
		"428191000124101", "Documentation of current medications (procedure)", "73761001", "Colonoscopy (procedure)", "399208008", "Plain chest X-ray (procedure)", "274031008", "Suture open wound (procedure)",
		"76601001", "Intramuscular injection (procedure)", "23426006", "Measurement of respiratory function (procedure)", "265764009", "Renal dialysis (procedure)", "430193006", "Medication reconciliation (procedure)", "424441002", "Prenatal initial visit (procedure)"),
	"vital": measures("8302-2", "Body Height", "cm", "29463-7", "Body Weight", "kg", "39156-5", "Body Mass Index", "kg/m2", "8310-5", "Body temperature", "Cel", "8867-4", "Heart rate", "/min",
		"9279-1", "Respiratory rate", "/min", "2708-6", "Oxygen saturation in Arterial blood", "%"),
	"laboratory": measures("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", "6299-2", "Urea nitrogen [Mass/volume] in Blood", "mg/dL", "38483-4", "Creatinine [Mass/volume] in Blood", "mg/dL",
		"49765-1", "Calcium [Mass/volume] in Blood", "mg/dL", "2947-0", "Sodium [Moles/volume] in Blood", "mmol/L", "6298-4", "Potassium [Moles/volume] in Blood", "mmol/L", "2069-3", "Chloride [Moles/volume] in Blood", "mmol/L",
		"20565-8", "Carbon dioxide, total [Moles/volume] in Blood", "mmol/L", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", "2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL",
		"2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", "2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", "718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL",
		"6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", "789-8", "Erythrocytes [#/volume] in Blood by Automated count", "10*6/uL", "4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count", "%",
		"777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", "33914-3", "Glomerular filtration rate/1.73 sq M.predicted", "mL/min/{1.73_m2}"),
	"panel": concepts("http://loinc.org", "51990-0", "Basic Metabolic Panel", "57698-3", "Lipid Panel", "58410-2", "Complete blood count (hemogram) panel - Blood by Automated count", "24323-8", "Comprehensive metabolic 2000 panel - Serum or Plasma"),
	"note":  concepts("http://loinc.org", "34117-2", "History and physical note", "18842-5", "Discharge summary", "11506-3", "Progress note", "11488-4", "Consult note", "28570-0", "Procedure note", "57133-1", "Referral note"),
	"drug": concepts("http://www.nlm.nih.gov/research/umls/rxnorm", "314076", "lisinopril 10 MG Oral Tablet", "860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "308136", "amLODIPine 2.5 MG Oral Tablet",
		"310798", "Hydrochlorothiazide 25 MG Oral Tablet", "313782", "Acetaminophen 325 MG Oral Tablet", "310965", "Ibuprofen 200 MG Oral Tablet", "308192", "Amoxicillin 500 MG Oral Tablet", "312961", "Simvastatin 20 MG Oral Tablet",
		"562251", "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", "106892", "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable Suspension", "745679", "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler"),
	"vaccine": concepts("http://hl7.org/fhir/sid/cvx", "140", "Influenza, seasonal, injectable, preservative free", "113", "Td (adult) preservative free", "62", "HPV, quadrivalent", "08", "Hep B, adolescent or pediatric",
		"20", "DTaP", "10", "IPV", "03", "MMR", "21", "varicella", "133", "Pneumococcal conjugate PCV 13", "121", "zoster"),
	"allergen": concepts("http://snomed.info/sct", "419474003", "Allergy to mould", "232350006", "House dust mite allergy", "91935009", "Allergy to peanuts", "300916003", "Latex allergy", "294505008", "Allergy to penicillin", "425525006", "Allergy to dairy product"),
	"finished": words("finished finished in-progress planned arrived"),
	"done":     words("completed completed in-progress"),
	"active":   words("active completed stopped"),
	"final":    words("final final preliminary amended"),
	"money":    words("125.00 89.56 12.4 1203.7 255"),
	"sentence": {"Patient presents with", "No acute distress.", "Follow up in two weeks.", "Continue current medication."},
}

func words(s string) []string { return strings.Fields(s) }

// concepts are the inside of CodeableConcepts: coding and text, from pairs of code and name.
func concepts(system string, pairs ...string) (out []string) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, `"coding":[{"system":"`+system+`","code":"`+pairs[i]+`","display":"`+pairs[i+1]+`"}],"text":"`+pairs[i+1]+`"`)
	}
	return out
}

// measures are concepts that carry their unit after a zero byte, for the hole that follows in the same Observation.
func measures(triples ...string) (out []string) {
	for i := 0; i < len(triples); i += 3 {
		out = append(out, concepts("http://loinc.org", triples[i], triples[i+1])[0]+"\x00"+triples[i+2])
	}
	return out
}
