// net/http: make an instance, read it, ask for one that is not there; print the three statuses.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

var url = os.Getenv("CLOUDNEXUS_BASE_URL") + "/v1/instances"

func call(method, url, body string) (int, map[string]any) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("CLOUDNEXUS_API_KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	return response.StatusCode, answer
}

func main() {
	created, made := call("POST", url, `{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}`)
	read, _ := call("GET", fmt.Sprintf("%s/%s", url, made["id"]), "")
	missing, _ := call("GET", url+"/inst_0000000000000000", "")
	fmt.Println(created, read, missing)
}
